// SPDX-License-Identifier: MIT
//
// Network: segments find their connection, or a listener, or are refused.

#include "driver/sim/network.hpp"

#include "driver/sim/agenda.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/segment.hpp"
#include "driver/sim/socket.hpp"
#include "driver/sim/tcp_socket.hpp"

#include <berth/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace berth::driver::sim {

// The ends first: each gives back its port and its name.
Network::~Network() { ends_.clear(); }

Instant Network::arrival() {
    const auto travel_max = kernel_.weather().travel_max.count();
    if (travel_max == 0) return kernel_.now();
    const auto travel = kernel_.below(static_cast<std::uint64_t>(travel_max) + 1);
    return kernel_.now() + Duration{static_cast<Duration::rep>(travel)};
}

Instant Network::arrival_of_all() const { return kernel_.now() + kernel_.weather().travel_max; }

void Network::refuse(const Segment& segment) { send(refusal_of(segment), arrival_of_all()); }

void Network::send(Segment segment, Instant arrival) {
    auto deed = [this, segment = std::move(segment)]() mutable { deliver(segment); };
    if (arrival <= kernel_.now()) {
        agenda_.enter_now(std::move(deed));
    } else {
        agenda_.enter(arrival, std::move(deed));
    }
}

void Network::deliver(Segment& segment) {
    const auto found = ends_.find({segment.to, segment.from});
    if (found != ends_.end()) {
        const auto end = found->second;  // taking may be its end
        end->take(segment);
        return;
    }
    TcpSocket* listener = nullptr;
    if (!segment.rst && !segment.ack) listener = find_listener(segment.to, segment.from);
    if (listener != nullptr) {
        listener->take(segment);
    } else if (!segment.rst) {
        refuse(segment);
    }
}

TcpEnd* Network::find(const Place& local, const Place& peer) const {
    const auto found = ends_.find({local, peer});
    return found == ends_.end() ? nullptr : found->second.get();
}

void Network::connect(const Place& local, const Place& peer, std::shared_ptr<TcpEnd> end) {
    ends_.insert_or_assign(Connection{local, peer}, std::move(end));
}

void Network::start_listening(TcpSocket& listener) {
    listeners_[listener.local().port].push_back(&listener);
}

void Network::stop_listening(TcpSocket& listener) {
    std::erase(listeners_[listener.local().port], &listener);
}

TcpSocket* Network::find_listener(const Place& place, const Place& peer) const {
    const auto on_port = listeners_.find(place.port);
    if (on_port == listeners_.end()) return nullptr;

    // An address of its own comes before the wildcard, one family before both.
    const auto closeness = [&](const TcpSocket& listener) {
        const Place& local = listener.local();
        if (!overlap(local, place)) return 0;
        return 1 + (local.families == place.families ? 1 : 0) + (local.is_wildcard() ? 0 : 2);
    };
    std::vector<TcpSocket*> closest;
    int best = 1;
    for (TcpSocket* listener : on_port->second) {
        const int close = closeness(*listener);
        if (close > best) closest.clear();
        if (close >= best) closest.push_back(listener);
        best = std::max(best, close);
    }
    return closest.empty() ? nullptr : closest[hash_of(peer) % closest.size()];
}

// ── What is there ────────────────────────────────────────────────────────────────────────────

std::uint64_t Network::enter(Socket& socket) {
    sockets_.emplace(++inode_last_, &socket);
    return inode_last_;
}

void Network::leave(const Socket& socket) { sockets_.erase(socket.inode()); }

std::int64_t Network::enter(const Process& process) {
    processes_.emplace(++process_last_, &process);
    return process_last_;
}

void Network::leave(const Process& process) { processes_.erase(process.id()); }

std::uint64_t hash_of(const Place& peer) {
    constexpr std::uint64_t kMixer = 0xbf58476d1ce4e5b9;
    const auto mixed = (std::uint64_t{peer.host} << 16U ^ peer.port) * kMixer;
    return mixed >> 32U;
}

}  // namespace berth::driver::sim
