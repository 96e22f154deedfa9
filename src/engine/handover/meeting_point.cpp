// SPDX-License-Identifier: MIT
//
// MeetingPoint: made aside, then renamed into place.

#include "engine/handover/meeting_point.hpp"

#include "net/directory_lock.hpp"

#include <cerrno>
#include <cstdint>
#include <utility>

namespace berth::engine::handover {

using driver::Descriptor;
using driver::PathFacts;

namespace {

constexpr std::uint32_t kOwnerOnly = 0600;
constexpr int kBacklog = 8;

Error at_path(const char* operation, int errno_value, const std::string& path) {
    return Error::from_errno(operation, errno_value).at("unixpacket:" + path);
}

Error not_ours(const std::string& path) {
    return Error(ErrorCode::path_conflict, "hand over")
        .at("unixpacket:" + path)
        .because("the path holds something that is not a handover socket")
        .fix("remove it if it is not needed, or choose another path");
}

}  // namespace

Error MeetingPoint::failed(const char* operation, int errno_value) const {
    return at_path(operation, errno_value, path_);
}

// ── Waiting ──────────────────────────────────────────────────────────────────────────────────

Result<void> MeetingPoint::wait_at(const std::string& path, Replace replace) {
    leave();
    path_ = path;
    const auto lock = net::DirectoryLock::take(system_, path_);
    if (!lock) return fail(failed("lock directory", lock.errno_value()));
    if (auto free = check_path(replace); !free) return free;

    const std::string aside = path_ + '.' + std::to_string(system_.process_id());
    const Endpoint endpoint(Scheme::unix_packet, aside);
    const auto opened = system_.open_socket(endpoint);
    if (!opened) return fail(failed("socket", opened.errno_value()));
    socket_ = *opened;
    static_cast<void>(system_.unlink(aside));  // of an earlier process with our number
    if (const auto prepared = prepare(aside, endpoint); !prepared) {
        static_cast<void>(system_.unlink(aside));
        system_.close(std::exchange(socket_, Descriptor::none));
        return fail(failed("bind", prepared.errno_value()));
    }
    return {};
}

base::Outcome<void> MeetingPoint::prepare(const std::string& name, const Endpoint& endpoint) {
    if (auto bound = system_.bind(socket_, endpoint); !bound) return bound;
    if (auto closed = system_.permit(name, kOwnerOnly); !closed) return closed;
    const auto facts = system_.inspect(name);
    if (!facts) return base::failed(facts.errno_value());
    if (auto listening = system_.listen(socket_, kBacklog); !listening) return listening;
    if (auto placed = system_.rename(name, path_); !placed) return placed;
    ours_ = *facts;
    return {};
}

Result<void> MeetingPoint::check_path(Replace replace) const {
    const auto facts = system_.inspect(path_);
    if (!facts) return fail(failed("lstat", facts.errno_value()));
    if (facts->kind == PathFacts::Kind::missing) return {};
    if (facts->kind != PathFacts::Kind::socket) return fail(not_ours(path_));
    if (replace == Replace::any_socket) return {};
    const auto owned = system_.path_has_owner(path_);
    if (!owned) return fail(failed("connect", owned.errno_value()));
    if (!*owned) return {};
    return fail(failed("bind", EADDRINUSE)
                    .because("another server has just begun to wait at this path")
                    .fix("start it again: it will take over"));
}

void MeetingPoint::leave() {
    if (!is_waiting()) return;
    const auto lock = net::DirectoryLock::take(system_, path_);
    if (lock && is_found()) static_cast<void>(system_.unlink(path_));
    system_.close(std::exchange(socket_, Descriptor::none));
}

bool MeetingPoint::is_found() const {
    const auto there = system_.inspect(path_);
    return is_waiting() && there && *there == ours_;
}

base::Outcome<Descriptor> MeetingPoint::welcome() {
    const auto accepted = system_.accept(socket_);
    if (!accepted) return base::failed(accepted.errno_value());
    return accepted->descriptor;
}

// ── Looking ──────────────────────────────────────────────────────────────────────────────────

Result<Descriptor> MeetingPoint::look_for(driver::System& system, const std::string& path) {
    const Endpoint endpoint(Scheme::unix_packet, path);
    const auto socket = system.open_socket(endpoint);
    if (!socket) return fail(at_path("socket", socket.errno_value(), path));
    const auto connected = system.connect(*socket, endpoint);
    if (connected) return *socket;
    system.close(*socket);
    switch (connected.errno_value()) {
        case ENOENT:
        case ECONNREFUSED: return Descriptor::none;
        case EPROTOTYPE: return fail(not_ours(path));
        default: return fail(at_path("connect", connected.errno_value(), path));
    }
}

}  // namespace berth::engine::handover
