// SPDX-License-Identifier: MIT
//
// KernelDatagrams: what the drivers of the real kernel share of datagram sockets: one inbox and
// one outbox for all sockets of a loop, and the translation.
//
// Equal datagrams to one peer leave as one message, if the socket may: the kernel's way through its
// stack is gone once for all of them (UDP_SEGMENT). Where it refuses that, for a route or a device,
// they leave one by one, and it is not asked again for any as long. Sockets that merge (UDP_GRO)
// have an inbox of their own, of 64 KiB a message, whose messages are taken apart again.
//
// Lifetime:  its driver's; the memory is taken when the first socket of its kind is started.
// Threads:   its driver's.
// See:       udp(7), docs/internals/datagrams.md.

#pragma once

#include "driver/driver.hpp"
#include "os/datagrams.hpp"
#include "os/returns.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace berth::driver {

class KernelDatagrams {
public:
    explicit KernelDatagrams(const Bounds& bounds);
    KernelDatagrams(const KernelDatagrams&) = delete;
    KernelDatagrams& operator=(const KernelDatagrams&) = delete;
    ~KernelDatagrams();

    // Learns what kind of socket it is.
    Outcome<void> start(DatagramSocket& socket);
    // One batch. A failure is an errno.
    BERTH_RETURNS_BY_JUMP Outcome<ReceivedDatagrams> receive(DatagramSocket& socket);
    // Was the last batch as long as one can be? Otherwise the socket was empty.
    bool was_full() const { return was_full_; }
    BERTH_RETURNS_BY_JUMP Sent send(DatagramSocket& socket, OutgoingDatagrams datagrams);

private:
    struct Inbox;
    struct Outbox;

    BERTH_RETURNS_BY_JUMP Outcome<ReceivedDatagrams> receive_into(Inbox& inbox,
                                                                  DatagramSocket& socket);
    void take_apart(Inbox& inbox, std::size_t index, DatagramSocket& socket);

    std::size_t count_;
    std::size_t size_;
    bool was_full_ = false;
    std::unique_ptr<Inbox> inbox_;
    std::unique_ptr<Inbox> merged_inbox_;
    std::unique_ptr<Outbox> outbox_;
};

}  // namespace berth::driver
