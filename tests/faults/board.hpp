// SPDX-License-Identifier: MIT
//
// Board: memory that the judge and the server share: what shall go wrong, and what happened.
//
// It outlives a server that crashes, and costs no system call that would disturb the count.
//
// Threads:   each field is written by one side, from the server's loops at the same time where it
//            is atomic.

#pragma once

#include "faults/call_table.hpp"

#include <berth/handler.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::test {

enum class Phase : std::uint8_t { asking, starting, serving, stopping };

// Text of bounded length that needs no memory elsewhere.
class Note {
public:
    void set(std::string_view text) {
        text = text.substr(0, room_.size() - 1);
        text.copy(room_.data(), text.size());
        room_[text.size()] = '\0';
    }
    std::string_view text() const { return room_.data(); }

private:
    std::array<char, 256> room_{};
};

struct NotedError {
    bool happened = false;
    ErrorCode code{};
    int errno_value = 0;
    Note operation;
    Note text;

    void set(const Error& error) {
        happened = true;
        code = error.code();
        errno_value = error.errno_value();
        operation.set(error.operation());
        text.set(error.to_string());
    }
};

struct NotedClose {
    Note peer;
    CloseReason reason{};
};

struct Board {
    // ── Written by the judge ─────────────────────────────────────────────────────────────────
    Fault fault;
    bool uses_uring = false;
    Note path;  // of the Unix listener
    std::atomic<Phase> phase{Phase::asking};

    // ── Written by the gate ──────────────────────────────────────────────────────────────────
    std::array<std::atomic<std::uint64_t>, kCalls.size()> made{};  // also those that failed
    std::atomic<bool> is_reached = false;                          // the fault has happened
    Phase reached_in{};
    Note touched;  // the peer of the connection that it happened to, if any
    Note defect;   // of the proof itself

    // ── Written by the handler ───────────────────────────────────────────────────────────────
    std::atomic<int> port = 0;
    std::atomic<int> process = 0;
    std::atomic<bool> is_held = false;  // a loop waits for the stop to begin
    std::atomic<unsigned> opened = 0;
    std::atomic<unsigned> closed = 0;
    std::atomic<unsigned> shutdowns = 0;
    std::atomic<unsigned> disorders = 0;  // callbacks at the wrong time
    std::atomic<unsigned> tasks_taken = 0;
    std::atomic<unsigned> tasks_completed = 0;
    std::array<NotedClose, 32> closes;
    NotedError dial_error;

    // ── Written by the server at its end ─────────────────────────────────────────────────────
    NotedError machine_error;
    NotedError start_error;
    StopOutcome outcome{};
    int exit_code = 0;
    std::uint64_t written = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t discarded = 0;
    std::uint64_t unconfirmed = 0;
    unsigned not_released = 0;
    Note cause;  // why an address was not released
    std::size_t descriptors_before = 0;
    std::size_t descriptors_after = 0;
    bool has_ended = false;
};

}  // namespace berth::test
