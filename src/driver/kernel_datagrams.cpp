// SPDX-License-Identifier: MIT
//
// KernelDatagrams: batches in and out.

#include "driver/kernel_datagrams.hpp"

#include "os/calls.hpp"

#include <algorithm>
#include <cerrno>

namespace berth::driver {

struct KernelDatagrams::Memory {
    Memory(std::size_t count, std::size_t size) : inbox(count, size), outbox(count) {
        received.resize(count);
    }
    os::DatagramInbox inbox;
    os::DatagramOutbox outbox;
    std::vector<ReceivedDatagram> received;
};

KernelDatagrams::KernelDatagrams(const Bounds& bounds)
    : count_(bounds.datagram_batch), size_(bounds.datagram_bytes) {}

KernelDatagrams::~KernelDatagrams() = default;

Outcome<void> KernelDatagrams::start(DatagramSocket& socket) {
    if (memory_ == nullptr) memory_ = std::make_unique<Memory>(count_, size_);
    const auto family = os::option(number(socket.descriptor), os::kSocketFamily);
    if (!family) return base::failed(family.errno_value());
    socket.family = *family;
    return {};
}

Outcome<std::span<const ReceivedDatagram>> KernelDatagrams::receive(DatagramSocket& socket) {
    os::DatagramInbox& inbox = memory_->inbox;
    const long count = inbox.receive(number(socket.descriptor));
    if (count < 0) return base::failed(static_cast<int>(-count));
    for (std::size_t index = 0; index < static_cast<std::size_t>(count); ++index) {
        ReceivedDatagram& datagram = memory_->received[index];
        datagram.bytes = inbox.bytes(index);
        datagram.peer = inbox.peer(index);
        datagram.is_truncated = inbox.is_truncated(index);
        const auto facts = inbox.facts(index);
        datagram.local = facts.local;
        datagram.is_to_many = facts.is_to_many;
        if (facts.dropped != 0) socket.dropped = facts.dropped;
    }
    return std::span<const ReceivedDatagram>(memory_->received)
        .first(static_cast<std::size_t>(count));
}

Sent KernelDatagrams::send(DatagramSocket& socket, std::span<const OutgoingDatagram> datagrams) {
    os::DatagramOutbox& outbox = memory_->outbox;
    for (const OutgoingDatagram& datagram : datagrams) {
        if (outbox.is_full()) break;
        outbox.add(datagram.bytes, datagram.to, datagram.from, socket.family);
    }
    const long sent = outbox.send(number(socket.descriptor));
    if (sent < 0) return Sent::failed(static_cast<int>(-sent));
    return Sent::done(static_cast<std::size_t>(sent));
}

}  // namespace berth::driver
