// SPDX-License-Identifier: MIT
//
// Exceptions: the differences between Linux and the simulated kernel that are known and accepted.
//
// Each is counted when it is used. docs/internals/testing.md lists the same table.

#pragma once

#include "differential/machine.hpp"
#include "differential/player.hpp"
#include "differential/step.hpp"

#include <cstddef>
#include <span>

namespace berth::differential {

// One difference: of the step's answers, or of the readiness of one socket after it.
struct Situation {
    const Step& step;
    std::span<const Step> history{};  // the steps so far, with this one
    bool is_answer = true;
    Answer real{};
    Answer simulated{};
    Readiness real_readiness{};
    Readiness simulated_readiness{};
    bool is_tight = false;     // a buffer of this sequence was made small, or was full once
    bool is_connected = true;  // the socket of an answer, as getpeername tells
    bool was_hashed = false;   // one of several SO_REUSEPORT sockets was chosen
};

enum class Afterwards : bool { ends_sequence, goes_on };

struct Exception {
    const char* name;
    const char* reason;
    const char* reference;
    Afterwards afterwards;  // may the two still be compared?
    bool (*applies)(const Situation&);
};

std::span<const Exception> exceptions();
// The first that applies; null: none does.
const Exception* exception_for(const Situation& situation);

}  // namespace berth::differential
