// SPDX-License-Identifier: MIT
//
// script_of: the random sequence of a seed.
//
// It depends on the seed alone and never on an answer. The generator believes that every call
// succeeds, and mostly asks for what should then be legal; the rest is anything, about any socket.

#pragma once

#include "differential/step.hpp"

#include <cstdint>

namespace berth::differential {

Script script_of(std::uint64_t seed);

}  // namespace berth::differential
