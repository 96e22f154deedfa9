// SPDX-License-Identifier: MIT
//
// KernelDatagrams: what the drivers of the real kernel share of datagram sockets: one inbox and
// one outbox for all sockets of a loop, and the translation.
//
// Lifetime:  its driver's; the memory is taken when the first socket is started.
// Threads:   its driver's.

#pragma once

#include "driver/driver.hpp"
#include "os/datagrams.hpp"

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
    // One batch. Fewer than the most: the socket was empty. A failure is an errno.
    Outcome<std::span<const ReceivedDatagram>> receive(DatagramSocket& socket);
    bool is_full(std::span<const ReceivedDatagram> batch) const { return batch.size() == count_; }
    Sent send(DatagramSocket& socket, std::span<const OutgoingDatagram> datagrams);

private:
    struct Memory;

    std::size_t count_;
    std::size_t size_;
    std::unique_ptr<Memory> memory_;
};

}  // namespace berth::driver
