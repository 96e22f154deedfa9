// SPDX-License-Identifier: MIT
//
// KernelDatagrams: batches in and out.

#include "driver/kernel_datagrams.hpp"

#include "os/calls.hpp"
#include "os/multicast.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace berth::driver {

namespace {

// What is merged: 64 segments and 64 KiB a message, UDP_GRO_CNT_MAX and GRO_LEGACY_MAX_SIZE.
constexpr std::size_t kMergedCount = 8;
constexpr std::size_t kMergedBytes = 64U << 10U;
// Of a whole message, with every header that there may be.
constexpr std::size_t kJoinedMax = 65'000;
// Longer ones would have to be fragmented on Ethernet, which the kernel refuses to do.
constexpr std::uint16_t kSegmentV4 = 1472;
constexpr std::uint16_t kSegmentV6 = 1452;

bool is_alike(const OutgoingDatagram& one, const OutgoingDatagram& other) {
    return one.to == other.to && one.from == other.from && one.to_name == other.to_name;
}

// How many of `datagrams`, from the first one on, can leave as one message.
std::size_t run_of(const DatagramSocket& socket, OutgoingDatagrams datagrams) {
    const OutgoingDatagram& first = datagrams.front();
    const std::size_t segment = first.bytes.size();
    if (segment == 0 || segment > socket.joined_bytes) return 1;
    const std::size_t most =
        std::min({datagrams.size(), os::DatagramOutbox::kSegmentsMax, kJoinedMax / segment});
    std::size_t count = 1;
    while (count < most && is_alike(first, datagrams[count])) {
        const std::size_t size = datagrams[count].bytes.size();
        if (size == 0 || size > segment) break;
        ++count;
        if (size < segment) break;  // a shorter one is the last
    }
    return count;
}

// Of a message of several. A full buffer, for one, would refuse a single one, too.
bool is_of_joining(int errno_value) {
    return errno_value == EINVAL || errno_value == EIO || errno_value == EMSGSIZE ||
           errno_value == EOPNOTSUPP;
}

}  // namespace

struct KernelDatagrams::Inbox {
    Inbox(std::size_t count, std::size_t size) : messages(count, size) { received.reserve(count); }
    os::DatagramInbox messages;
    std::vector<ReceivedDatagram> received;
};

struct KernelDatagrams::Outbox {
    explicit Outbox(std::size_t count) : messages(count), runs(count) {}

    // False: nobody can have that name.
    bool add(const DatagramSocket& socket, OutgoingDatagrams run) {
        const OutgoingDatagram& first = run.front();
        if (first.to_name.empty()) {
            messages.add(first.bytes, first.to, first.from, socket.family);
        } else if (!messages.add_named(first.bytes, first.to_name)) {
            return false;
        }
        for (const OutgoingDatagram& each : run.subspan(1)) {
            messages.join(each.bytes, first.bytes.size());
        }
        runs[used++] = run.size();
        return true;
    }
    // How many leave in the first message.
    std::size_t fill(const DatagramSocket& socket, OutgoingDatagrams datagrams) {
        used = 0;
        while (!datagrams.empty()) {
            const std::size_t run = run_of(socket, datagrams);
            if (!messages.has_room(run) || !add(socket, datagrams.first(run))) break;
            datagrams = datagrams.subspan(run);
        }
        return used == 0 ? 0 : runs.front();
    }

    os::DatagramOutbox messages;
    std::vector<std::size_t> runs;  // datagrams in each message
    std::size_t used = 0;
};

KernelDatagrams::KernelDatagrams(const Bounds& bounds)
    : count_(bounds.datagram_batch), size_(bounds.datagram_bytes) {}

KernelDatagrams::~KernelDatagrams() = default;

Outcome<void> KernelDatagrams::start(DatagramSocket& socket) {
    const int descriptor = number(socket.descriptor);
    const auto family = os::option(descriptor, os::kSocketFamily);
    if (!family) return base::failed(family.errno_value());
    socket.family = *family;
    socket.merges = os::option(descriptor, os::kMerge).value_or(0) != 0;
    const bool joins = socket.joins_sends && os::option(descriptor, os::kSegment).has_value();
    const std::uint16_t most = *family == AF_INET6 ? kSegmentV6 : kSegmentV4;
    socket.joined_bytes = joins ? most : std::uint16_t{0};
    if (outbox_ == nullptr) outbox_ = std::make_unique<Outbox>(count_);
    if (inbox_ == nullptr && !socket.merges) inbox_ = std::make_unique<Inbox>(count_, size_);
    if (merged_inbox_ == nullptr && socket.merges) {
        merged_inbox_ = std::make_unique<Inbox>(kMergedCount, kMergedBytes);
        merged_inbox_->received.reserve(kMergedCount * os::DatagramOutbox::kSegmentsMax);
    }
    return {};
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

Outcome<ReceivedDatagrams> KernelDatagrams::receive(DatagramSocket& socket) {
    return receive_into(socket.merges ? *merged_inbox_ : *inbox_, socket);
}

Outcome<ReceivedDatagrams> KernelDatagrams::receive_into(Inbox& inbox, DatagramSocket& socket) {
    inbox.received.clear();
    const long count = inbox.messages.receive(number(socket.descriptor));
    was_full_ = count == static_cast<long>(socket.merges ? kMergedCount : count_);
    if (count < 0) return base::failed(static_cast<int>(-count));
    for (std::size_t index = 0; index < static_cast<std::size_t>(count); ++index) {
        take_apart(inbox, index, socket);
    }
    return ReceivedDatagrams(inbox.received);
}

// Of a socket that merges the bound is ours to keep, for each part.
void KernelDatagrams::take_apart(Inbox& inbox, std::size_t index, DatagramSocket& socket) {
    const auto facts = inbox.messages.facts(index);
    if (facts.dropped != 0) socket.counts.dropped = facts.dropped;
    ReceivedDatagram datagram{.bytes = inbox.messages.bytes(index),
                              .peer = inbox.messages.peer(index),
                              .local = facts.local,
                              .is_truncated = inbox.messages.is_truncated(index),
                              .is_to_many = facts.is_to_many};
    if (socket.family == AF_UNIX) datagram.peer_name = inbox.messages.peer_name(index);
    if (!socket.merges) return inbox.received.push_back(datagram);
    Bytes left = datagram.bytes;
    const std::size_t segment = facts.segment == 0 ? left.size() : facts.segment;
    const bool is_several = left.size() > segment;
    do {
        const Bytes part = left.first(std::min(segment, left.size()));
        left = left.subspan(part.size());
        datagram.bytes = part.first(std::min(part.size(), size_));
        datagram.is_truncated = part.size() > size_;
        inbox.received.push_back(datagram);
        if (is_several) ++socket.counts.gro_received;
    } while (!left.empty());
}

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

Sent KernelDatagrams::send(DatagramSocket& socket, OutgoingDatagrams datagrams) {
    const std::size_t first = outbox_->fill(socket, datagrams);
    if (first == 0) return Sent::failed(EINVAL);
    const long sent = outbox_->messages.send(number(socket.descriptor));
    if (sent < 0) {
        const int errno_value = static_cast<int>(-sent);
        if (first < 2 || !is_of_joining(errno_value)) return Sent::failed(errno_value);
        const std::size_t segment = datagrams.front().bytes.size();
        socket.joined_bytes = static_cast<std::uint16_t>(errno_value == EIO ? 0 : segment - 1);
        return send(socket, datagrams);
    }
    std::size_t count = 0;
    for (std::size_t index = 0; index < static_cast<std::size_t>(sent); ++index) {
        const std::size_t run = outbox_->runs[index];
        count += run;
        if (run > 1) socket.counts.gso_sent += static_cast<std::uint32_t>(run);
    }
    return Sent::done(count);
}

}  // namespace berth::driver
