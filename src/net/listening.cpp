// SPDX-License-Identifier: MIT
//
// Listening: sockets and shards, made or adopted.

#include "net/listening.hpp"

#include "net/listen_error.hpp"
#include "net/multicast.hpp"
#include "net/port_diagnosis.hpp"

#include <algorithm>
#include <utility>

namespace berth::net {

using driver::Descriptor;
using driver::SocketOption;

// ── Opening ──────────────────────────────────────────────────────────────────────────────────

Result<Listening> Listening::open(driver::System& system, const Endpoint& endpoint,
                                  const ListenPlan& plan) {
    Listening listening(system, endpoint);
    const std::size_t shards = endpoint.is_unix() ? 1 : plan.shards;
    for (std::size_t shard = 0; shard < shards; ++shard) {
        auto added = listening.add_shard(plan, shard > 0 || plan.shares_port);
        if (!added) return fail(with_holder(system, endpoint, std::move(added.error())));
    }
    return listening;
}

Listening::Listening(Listening&& other) noexcept
    : system_(other.system_),
      endpoint_(std::move(other.endpoint_)),
      sockets_(std::exchange(other.sockets_, {})),
      path_(std::exchange(other.path_, {})),
      entrance_(std::move(other.entrance_)),
      is_inherited_(other.is_inherited_) {}

Listening::~Listening() {
    for (const Shard& shard : sockets_) {
        if (!shard.is_taken) system_->close(shard.descriptor);
    }
    release_path();
}

Error Listening::failed(const char* operation, int errno_value) const {
    return listen_error(operation, errno_value, endpoint_);
}

// `joins`: a further shard of an address that we hold already, or one that others may hold. Two
// sockets may both bind where both allow reuse: then it is listen that is refused.
Result<void> Listening::add_shard(const ListenPlan& plan, bool joins) {
    const auto socket = system_->open_socket(endpoint_);
    if (!socket) return fail(failed("socket", socket.errno_value()));
    auto opened = open_shard(*socket, plan, joins);
    if (!opened) {
        system_->close(*socket);
        return opened;
    }
    sockets_.push_back({.descriptor = *socket});
    return {};
}

Result<void> Listening::open_shard(Descriptor socket, const ListenPlan& plan, bool joins) {
    if (auto done = prepare_to_bind(socket, joins); !done) return done;
    if (auto done = bind_to_device(socket, plan); !done) return done;
    if (auto done = bind(socket); !done) return done;
    if (auto done = permit(plan); !done) return done;
    if (auto done = prepare_to_listen(socket, plan); !done) return done;
    if (auto done = listen(socket, plan); !done) return done;
    if (endpoint_.is_unix()) return {};
    const auto real = system_->local_endpoint(socket, endpoint_.scheme());
    if (!real) return fail(failed("getsockname", real.errno_value()));
    endpoint_ = *real;
    return {};
}

// SO_REUSEADDR always, on every listener: it is what lets the *next* server bind over our
// TIME_WAIT; both sides need it. Not for datagrams: there it would let another take them from us.
Result<void> Listening::prepare_to_bind(Descriptor socket, bool joins) {
    if (!endpoint_.is_udp()) {
        if (auto done = set(socket, SocketOption::reuse_address, 1); !done) return done;
    }
    return joins ? set(socket, SocketOption::reuse_port, 1) : Result<void>{};
}

// Before the bind: there may be another on the same port of another interface.
Result<void> Listening::bind_to_device(Descriptor socket, const ListenPlan& plan) {
    if (plan.device.empty() || endpoint_.is_unix()) return {};
    const auto done = system_->bind_to_device(socket, plan.device);
    if (done) return {};
    return fail(device_error(done.errno_value(), endpoint_, plan.device));
}

// Who may be told whom a datagram was sent to: the owner of one address knows it. Groups are for
// the first socket, or each would hear what is sent to them.
Result<void> Listening::prepare_to_receive(Descriptor socket, const ListenPlan& plan) {
    if (auto done = set(socket, SocketOption::count_drops, 1); !done) return done;
    const bool is_first = sockets_.empty() || sockets_.front().descriptor == socket;
    auto done = Multicast(*system_, endpoint_).prepare(socket, plan.datagrams, is_first);
    if (!done || !endpoint_.is_wildcard()) return done;
    return set(socket, SocketOption::tell_destination, 1);
}

// What accepted sockets inherit, and the permission for further shards to join.
Result<void> Listening::prepare_to_listen(Descriptor socket, const ListenPlan& plan) {
    if (plan.shards > 1 || plan.shares_port) {
        if (auto done = set(socket, SocketOption::reuse_port, 1); !done) return done;
    }
    if (endpoint_.is_udp()) return prepare_to_receive(socket, plan);
    for (const SocketSetting& setting : plan.settings) {
        if (endpoint_.is_unix() && !setting.is_general()) continue;
        const auto done = system_->set(socket, setting.option, setting.value);
        if (!done) return fail(failed("setsockopt", done.errno_value()));
    }
    return {};
}

Result<void> Listening::listen(Descriptor socket, const ListenPlan& plan) {
    if (endpoint_.is_datagram()) return {};
    const int errno_value = attempt([&] { return system_->listen(socket, plan.backlog); });
    if (errno_value != 0) return fail(failed("listen", errno_value));
    return {};
}

// What these say means nothing on a Unix socket.
Result<void> Listening::set(Descriptor socket, SocketOption option, int value) {
    if (endpoint_.is_unix()) return {};
    const auto done = system_->set(socket, option, value);
    if (!done) return fail(failed("setsockopt", done.errno_value()));
    return {};
}

Result<void> Listening::bind(Descriptor socket) {
    if (has_path()) return path_.bind(*system_, socket, endpoint_);
    const int errno_value = attempt([&] { return system_->bind(socket, endpoint_); });
    if (errno_value != 0) return fail(failed("bind", errno_value));
    return {};
}

// Before it listens: who is not meant to connect is never let in.
Result<void> Listening::permit(const ListenPlan& plan) {
    if (!has_path() || !plan.unix_mode) return {};
    const auto done = system_->permit(endpoint_.name(), *plan.unix_mode);
    if (!done) return fail(failed("chmod", done.errno_value()));
    return {};
}

// Again, while only a process that is being taken apart is in the way. The errno of the last try.
template <class Call>
int Listening::attempt(Call&& call) {
    TeardownPatience patience(*system_, endpoint_);
    int errno_value = call().errno_value();
    while (patience.lasts(errno_value)) errno_value = call().errno_value();
    return errno_value;
}

// ── Adopting ─────────────────────────────────────────────────────────────────────────────────

// listen(2) once more sets the backlog, and refuses what cannot listen.
Result<Listening> Listening::adopt(driver::System& system, const Endpoint& endpoint,
                                   const std::vector<Descriptor>& sockets, const ListenPlan& plan) {
    Listening listening(system, endpoint);
    listening.is_inherited_ = true;
    for (const Descriptor socket : sockets) listening.sockets_.push_back({.descriptor = socket});
    for (const Descriptor socket : sockets) {
        if (auto done = listening.check_adopted(socket); !done) {
            return fail(std::move(done.error()));
        }
        if (auto done = listening.prepare_to_bind(socket, false); !done) {
            return fail(std::move(done.error()));
        }
        if (auto done = listening.prepare_to_listen(socket, plan); !done) {
            return fail(std::move(done.error()));
        }
        if (auto done = listening.listen(socket, plan); !done) {
            return fail(std::move(done.error()));
        }
    }
    if (listening.has_path()) listening.path_.take_over(system, endpoint);
    return listening;
}

// One file has many paths: whether it is ours is for the caller to know.
Result<void> Listening::check_adopted(Descriptor socket) {
    const auto real = system_->local_endpoint(socket, endpoint_.scheme());
    if (!real) return fail(failed("getsockname", real.errno_value()));
    if (*real == endpoint_ || (has_path() && real->is_unix())) return {};
    return fail(Error(ErrorCode::address_in_use, "adopt")
                    .at(endpoint_.to_string())
                    .because("the socket that came for it is bound to " + real->to_string()));
}

// All that are there must allow company before one can join.
Result<void> Listening::add_shards(const ListenPlan& plan) {
    if (endpoint_.is_unix()) return {};
    for (const Shard& shard : sockets_) {
        if (auto done = prepare_to_listen(shard.descriptor, plan); !done) return done;
    }
    while (sockets_.size() < plan.shards) {
        if (auto done = add_shard(plan, true); !done) return done;
    }
    return {};
}

void Listening::share(bool is_shared) { entrance_->share(is_shared); }

// ── Giving away ──────────────────────────────────────────────────────────────────────────────

driver::Descriptor Listening::take_socket(std::size_t shard) {
    sockets_[shard].is_taken = true;
    return sockets_[shard].descriptor;
}

std::vector<std::uint64_t> Listening::inodes() const {
    std::vector<std::uint64_t> found;
    for (const Shard& shard : sockets_) {
        const auto inode = system_->inode(shard.descriptor);
        if (inode) found.push_back(*inode);
    }
    return found;
}

void Listening::release_path() {
    if (!has_path() || entrance_ == nullptr || is_shared()) return;
    path_.remove(*system_, endpoint_);
}

}  // namespace berth::net
