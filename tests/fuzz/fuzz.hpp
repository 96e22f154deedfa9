// SPDX-License-Identifier: MIT
//
// fuzz: what a target of this folder is.
//
// A target is one file NAME_fuzz.cpp that defines try_input. It compares a part of berth with a
// model that is too simple to be wrong, over whatever the bytes of an input make of both. With
// fuzzer.cpp it becomes a program that searches for inputs, with replay.cpp one that repeats
// those of corpus/NAME/.

#pragma once

#include "base/assert.hpp"

#include <berth/bytes.hpp>

#include <source_location>

namespace berth::fuzz {

// Ends the process when the input shows a defect; else leaves nothing behind.
void try_input(Bytes input);

inline void expect(bool holds, const char* rule,
                   std::source_location where = std::source_location::current()) {
    if (!holds) base::rule_broken(rule, where);
}

}  // namespace berth::fuzz
