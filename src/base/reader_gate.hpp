// SPDX-License-Identifier: MIT
//
// ReaderGate: keeps readers out while what they look at is replaced.
//
// For things that change once in a run and are read now and then, from anywhere: readers never
// wait; they are told that there is nothing to be read. The writer waits for those inside.
//
// Lifetime:  outlives its readers.
// Threads:   one writer at a time; any number of readers.

#pragma once

#include <atomic>
#include <thread>

namespace berth::base {

class ReaderGate {
public:
    // A reader's visit: look only if it is inside.
    class Visit {
    public:
        explicit Visit(ReaderGate& gate) : gate_(gate) {
            // Before the look at the door: the writer sees this reader, or it sees the door shut.
            gate_.readers_.fetch_add(1);
            is_inside_ = gate_.is_open_.load();
        }
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;
        ~Visit() { gate_.readers_.fetch_sub(1); }

        bool is_inside() const { return is_inside_; }

    private:
        ReaderGate& gate_;
        bool is_inside_;
    };

    // The writer: nobody is inside when shut() returns, nor before open().
    void shut() {
        is_open_.store(false);
        while (readers_.load() != 0) std::this_thread::yield();
    }
    void open() { is_open_.store(true); }

private:
    std::atomic<unsigned> readers_{0};
    std::atomic<bool> is_open_{false};
};

}  // namespace berth::base
