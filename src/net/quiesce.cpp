// SPDX-License-Identifier: MIT
//
// Quiesce: barring an entrance, and looking who is still inside.

#include "net/quiesce.hpp"

#include "os/ip_address.hpp"

#include <algorithm>
#include <cerrno>

namespace berth::net {

using driver::SocketState;
using driver::SocketStates;

namespace {

// What no packet has that crossed a router, and none that a system with Linux' or BSD's or
// Windows' defaults sent: those begin with 64 or 128.
constexpr int kNeighboursTtl = 255;

// A connect(2) to a Unix path that had found the name before it went needs a moment to arrive.
constexpr unsigned kUnixLooks = 2;

}  // namespace

std::string_view to_string(QuiesceMeans means) {
    switch (means) {
        case QuiesceMeans::best_effort: return "best_effort";
        case QuiesceMeans::syn_filter: return "syn_filter";
        case QuiesceMeans::ttl: return "ttl";
        case QuiesceMeans::unlinked: return "unlinked";
        case QuiesceMeans::emptied: return "emptied";
        case QuiesceMeans::handed_over: return "handed_over";
    }
    return "unknown";
}

// ── The entrance ─────────────────────────────────────────────────────────────────────────────

void Quiesce::begin() {
    inodes_ = listening_.inodes();
    means_ = bar();
}

QuiesceMeans Quiesce::bar() {
    const Endpoint& endpoint = listening_.endpoint();
    if (listening_.is_shared()) return QuiesceMeans::handed_over;
    if (endpoint.is_datagram()) {
        listening_.release_path();
        return QuiesceMeans::emptied;
    }
    if (endpoint.is_abstract()) return QuiesceMeans::best_effort;
    if (endpoint.is_unix()) {
        listening_.release_path();
        return QuiesceMeans::unlinked;
    }
    if (bar_all(Entrance::Bar::syn_filter)) return QuiesceMeans::syn_filter;
    if (bar_all(Entrance::Bar::ttl)) return QuiesceMeans::ttl;
    return QuiesceMeans::best_effort;
}

// All shards, or it would be the others that the kernel chooses. One that could not be barred
// leaves the means at those that were: it does no harm there.
bool Quiesce::bar_all(Entrance::Bar bar) {
    listening_.entrance().bar(bar);
    for (std::size_t shard = 0; shard < listening_.shard_count(); ++shard) {
        const driver::Descriptor socket = listening_.descriptor(shard);
        const auto done = bar == Entrance::Bar::syn_filter
                              ? system_.drop_handshakes(socket)
                              : system_.require_ttl(socket, kNeighboursTtl);
        if (!done) return false;
    }
    return true;
}

// ── Who is inside ────────────────────────────────────────────────────────────────────────────

// Handshakes first: one that completes between the two looks is seen in the queue.
bool Quiesce::is_empty() {
    ++looks_;
    switch (means_) {
        case QuiesceMeans::emptied:
        case QuiesceMeans::handed_over: return true;
        case QuiesceMeans::unlinked: return looks_ >= kUnixLooks;
        case QuiesceMeans::best_effort:
            if (!listening_.endpoint().is_unix()) static_cast<void>(count_handshakes());
            return true;
        case QuiesceMeans::syn_filter:
        case QuiesceMeans::ttl: return count_handshakes() && handshakes_ == 0 && queues_are_empty();
    }
    return true;
}

// False: they cannot be seen.
bool Quiesce::count_handshakes() {
    const Endpoint& endpoint = listening_.endpoint();
    const auto rows = system_.sockets(
        endpoint.scheme(), endpoint.port(),
        SocketStates::of({SocketState::syn_received, SocketState::new_syn_received}));
    if (!rows) return false;
    const auto ours =
        std::ranges::count_if(*rows, [this](const driver::SocketRow& row) { return is_ours(row); });
    handshakes_ = static_cast<std::uint64_t>(ours);
    return true;
}

bool Quiesce::queues_are_empty() {
    const Endpoint& endpoint = listening_.endpoint();
    const auto rows = system_.sockets(endpoint.scheme(), endpoint.port(),
                                      SocketStates::of({SocketState::listening}));
    if (!rows) return false;
    return std::ranges::none_of(*rows, [this](const driver::SocketRow& row) {
        return row.receive_queue > 0 && std::ranges::find(inodes_, row.inode) != inodes_.end();
    });
}

// Does a handshake belong to this address? Another server may have the port on another one.
bool Quiesce::is_ours(const driver::SocketRow& row) const {
    const IpEndpoint ours = os::unmapped(listening_.endpoint().ip());
    const IpEndpoint local = os::unmapped(row.local);
    if (!listening_.endpoint().is_wildcard()) {
        return local.family == ours.family && local.address == ours.address;
    }
    return ours.family == 6 || local.family == 4;
}

}  // namespace berth::net
