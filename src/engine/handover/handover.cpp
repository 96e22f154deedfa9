// SPDX-License-Identifier: MIT
//
// Handover: the younger one, then the older one.

#include "engine/handover/handover.hpp"

#include "engine/core.hpp"

#include <algorithm>
#include <utility>

namespace berth::engine::handover {

using driver::Descriptor;

// ── The start ────────────────────────────────────────────────────────────────────────────────

Result<void> Handover::take(std::vector<std::string>& addresses,
                            std::vector<InheritedSocket>& into) {
    asked_ = addresses;
    taker_.reset();
    counts_.generation.store(0);
    Descriptor before = std::exchange(channel_, Descriptor::none);
    const std::string& path = core_.options().handover;
    if (!driver::is_open(before)) {
        if (path.empty()) return {};
        const auto found = MeetingPoint::look_for(core_.system(), path);
        if (!found) return fail(found.error());
        before = *found;
        if (!driver::is_open(before)) return {};
    }
    if (auto offered = taker_.ask(before); !offered) return offered;
    counts_.generation.store(taker_.generation());
    return taker_.claim(addresses, into);
}

void Handover::note_lent() {
    lent_.assign(core_.listeners().size(), false);
    for (std::size_t i = 0; i < lent_.size(); ++i) {
        lent_[i] = taker_.has_taken(i) ? taker_.is_lent(i) : core_.listeners().is_shared(i);
    }
}

void Handover::note_added() { lent_.push_back(false); }

void Handover::share_listeners() {
    for (std::size_t i = 0; i < lent_.size(); ++i) core_.listeners().share(i, true);
}

void Handover::own_listeners() {
    for (std::size_t i = 0; i < lent_.size(); ++i) core_.listeners().share(i, lent_[i]);
}

Result<void> Handover::confirm() { return taker_.confirm(); }

void Handover::begin() { giver_.begin(core_.options().handover, taker_.is_successor()); }

void Handover::end(std::string_view outcome) {
    const Descriptor unused = std::exchange(channel_, Descriptor::none);
    if (driver::is_open(unused)) core_.system().close(unused);
    giver_.end(outcome);
    taker_.end();
}

// ── Serving ──────────────────────────────────────────────────────────────────────────────────

std::span<const int> Handover::watched() {
    watched_.clear();
    giver_.watch(watched_);
    if (taker_.has_predecessor()) watched_.push_back(driver::number(taker_.descriptor()));
    return watched_;
}

OfferedSocket Handover::describe(std::size_t index) const {
    const Endpoint& endpoint = core_.listeners().endpoint(index);
    OfferedSocket socket{.listener = static_cast<std::uint32_t>(index),
                         .is_lent = lent_[index],
                         .address = endpoint.to_string(),
                         .asked = index < asked_.size() ? asked_[index] : std::string()};
    if (endpoint.is_unix() && !endpoint.is_abstract()) {
        const auto path = core_.system().inspect(endpoint.name());
        if (path) socket.path_device = path->device;
        if (path) socket.path_inode = path->inode;
    }
    return socket;
}

std::vector<OfferedSocket> Handover::offer(std::vector<Descriptor>& sockets) const {
    std::vector<OfferedSocket> offered;
    sockets.clear();
    Listeners& listeners = core_.listeners();
    // What was added and is not assigned yet stays here.
    for (std::size_t index = 0; index < lent_.size(); ++index) {
        if (listeners.is_closing(index)) continue;
        const net::Listening& listening = listeners.listening(index);
        OfferedSocket socket = describe(index);
        for (std::size_t shard = 0; shard < listening.shard_count(); ++shard) {
            socket.shard = static_cast<std::uint32_t>(shard);
            socket.inode = core_.system().inode(listening.descriptor(shard)).value_or(0);
            offered.push_back(socket);
            sockets.push_back(listening.descriptor(shard));
        }
    }
    return offered;
}

}  // namespace berth::engine::handover
