// SPDX-License-Identifier: MIT
//
// Quiesce: making one address empty before it closes, so that no client is reset.
//
// A listener that closes resets who is in its accept queue and who is still shaking hands. So the
// entrance is barred first, for all its shards at once, while the acceptors go on accepting; when
// no handshake is in flight and every queue is empty, the sockets may close. Whoever comes
// meanwhile is not answered; its kernel asks again a second later, and finds the next server, or
// is refused. Which means there are depends on what this process may do; begin() takes the best.
//
// Lifetime:  the Listening outlives it, and so do its sockets until the acceptors are told to
//            close.
// Threads:   the coordinator's; the acceptors run meanwhile.
// See:       docs/internals/accept.md, docs/decisions/0010-quiesce.md.

#pragma once

#include "driver/system.hpp"
#include "net/listening.hpp"

#include <berth/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace berth::net {

enum class QuiesceMeans : std::uint8_t {
    best_effort,  // nothing holds newcomers back
    syn_filter,   // packets that would begin a connection are dropped
    ttl,          // so are those that come with a TTL below 255: all but from odd neighbours
    unlinked,     // a Unix path: the name is gone
    emptied,      // datagrams: nobody is connected; what has arrived is delivered by the close
    handed_over,  // the queue is another's, too; nothing is done to it
};

std::string_view to_string(QuiesceMeans means);

class Quiesce {
public:
    static constexpr Duration kInterval = std::chrono::milliseconds{1};

    Quiesce(driver::System& system, Listening& listening)
        : system_(system), listening_(listening) {}

    // Bars the entrance. Does not fail: there is always best_effort.
    void begin();
    // Is nobody left between SYN and accept? Asks the kernel: call it again after kInterval.
    // Where newcomers cannot be held back, it is never certain for long: then true at once.
    bool is_empty();

    QuiesceMeans means() const { return means_; }
    // In SYN_RECV when is_empty() was last asked.
    std::uint64_t handshakes_abandoned() const { return handshakes_; }

private:
    QuiesceMeans bar();
    bool bar_all(Entrance::Bar bar);
    bool count_handshakes();
    bool queues_are_empty();
    bool is_ours(const driver::SocketRow& row) const;

    driver::System& system_;
    Listening& listening_;
    QuiesceMeans means_ = QuiesceMeans::best_effort;
    std::vector<std::uint64_t> inodes_;  // of the listening sockets
    std::uint64_t handshakes_ = 0;
    unsigned looks_ = 0;
};

}  // namespace berth::net
