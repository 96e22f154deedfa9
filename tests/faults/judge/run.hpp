// SPDX-License-Identifier: MIT
//
// Run: one server process with one fault, its guests, and its end.

#pragma once

#include "faults/board.hpp"
#include "faults/judge/guest.hpp"
#include "support/temp_dir.hpp"

#include <string>
#include <vector>

namespace berth::test {

enum class Stop : std::uint8_t {
    graceful,  // everybody goes when asked
    forced,    // one guest neither reads nor goes
};

// How the server's process ended.
struct ProcessEnd {
    bool in_time = false;
    bool by_itself = false;  // not by a signal
    int status = 0;          // exit status, or the signal
};

struct RunResult {
    ProcessEnd process;
    std::vector<Guest> guests;  // none: there was no service
    std::string dials;          // what the server answered when told to connect: y or n
    bool port_is_free = false;
    bool has_path = false;      // something is left there
    bool path_is_ours = false;  // and it is the server's, not what lay there before
};

struct ServerCommand {
    std::string program;
    std::vector<std::string> prefix;  // strace and its options, for example
    bool uses_uring = false;
};

// The memory that a run and its server share. One run at a time.
class SharedBoard {
public:
    SharedBoard();
    SharedBoard(const SharedBoard&) = delete;
    SharedBoard& operator=(const SharedBoard&) = delete;
    ~SharedBoard();

    Board& fresh();  // as nobody has written on it
    Board& board() { return *board_; }
    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
    Board* board_ = nullptr;
};

// Bounded: a server that does not end in time is killed.
RunResult run_once(const ServerCommand& command, SharedBoard& shared, const Fault& fault,
                   Stop stop);

}  // namespace berth::test
