// SPDX-License-Identifier: MIT
//
// ConnectionLimit: how many connections an engine has, and may have.
//
// Touched at accept and at close only. It counts from the accept, so that connections on their
// way to another loop are among them. Sessions of datagrams have no descriptor: they are counted,
// and do not use up what others may have.
//
// Threads:   any.

#pragma once

#include <atomic>
#include <cstddef>

namespace berth::net {

class ConnectionLimit {
public:
    void set_max(std::size_t max) { max_ = max; }  // before anything is accepted
    std::size_t max() const { return max_; }

    void add() { count_.fetch_add(1, std::memory_order_relaxed); }
    void remove() { count_.fetch_sub(1, std::memory_order_release); }
    void add_session() { sessions_.fetch_add(1, std::memory_order_relaxed); }
    void remove_session() { sessions_.fetch_sub(1, std::memory_order_release); }
    // Sessions, too.
    std::size_t count() const {
        return count_.load(std::memory_order_acquire) + sessions_.load(std::memory_order_acquire);
    }
    // An acceptor looks after it has accepted: each listener of each loop may pass it by one.
    bool is_reached() const { return count_.load(std::memory_order_acquire) >= max_; }

private:
    std::atomic<std::size_t> count_{0};
    std::atomic<std::size_t> sessions_{0};
    std::size_t max_ = 0;
};

}  // namespace berth::net
