// SPDX-License-Identifier: MIT
//
// Listening: sockets, shards and Unix paths.

#include "net/listening.hpp"

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace berth::net {

using driver::Descriptor;
using driver::PathFacts;
using driver::SocketOption;

namespace {

std::string remedy_for(const Endpoint& endpoint, int errno_value) {
    const std::string port = std::to_string(endpoint.port());
    switch (errno_value) {
        case EADDRINUSE:
            if (endpoint.is_unix()) return "stop the server that owns it, or choose another path";
            return "`ss -ltnp 'sport = :" + port +
                   "'` shows who listens there; stop it, or choose another port (0: any free one)";
        case EADDRNOTAVAIL: return "listen on an address of this machine (`ip address` lists them)";
        case EACCES:
            if (endpoint.is_unix()) return "choose a directory that this user may write to";
            return "a port below net.ipv4.ip_unprivileged_port_start needs CAP_NET_BIND_SERVICE; "
                   "choose a higher port or grant it";
        default: return {};
    }
}

// Held for microseconds by others; whoever holds it for longer is not one of us.
constexpr Duration kLockPatience = std::chrono::milliseconds{100};

base::Outcome<Descriptor> lock_directory(driver::System& system, const std::string& path) {
    const Instant deadline = system.now() + kLockPatience;
    for (;;) {
        auto held = system.lock_directory_of(path);
        if (held || held.errno_value() != EWOULDBLOCK || system.now() >= deadline) return held;
        std::this_thread::yield();
    }
}

class DirectoryLock {
public:
    DirectoryLock(driver::System& system, Descriptor held) : system_(system), held_(held) {}
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;
    ~DirectoryLock() { system_.close(held_); }

private:
    driver::System& system_;
    Descriptor held_;
};

}  // namespace

Result<Listening> Listening::open(driver::System& system, const Endpoint& endpoint,
                                  const ListenPlan& plan) {
    if (!endpoint.is_stream()) {
        return fail(Error(ErrorCode::unsupported, "listen")
                        .at(endpoint.to_string())
                        .because("this version listens on tcp and unix streams only")
                        .fix("use tcp:// or unix:"));
    }
    Listening listening(system, endpoint);
    const std::size_t shards = endpoint.is_unix() ? 1 : plan.shards;
    for (std::size_t shard = 0; shard < shards; ++shard) {
        auto added = listening.add_shard(plan, shard > 0);
        if (!added) return fail(std::move(added.error()));
    }
    return listening;
}

Listening::Listening(Listening&& other) noexcept
    : system_(other.system_),
      endpoint_(std::move(other.endpoint_)),
      sockets_(std::exchange(other.sockets_, {})),
      path_(std::exchange(other.path_, {})) {}

Listening::~Listening() {
    for (const Descriptor socket : sockets_) {
        if (driver::is_open(socket)) system_->close(socket);
    }
    release_path();
}

Error Listening::failed(const char* operation, int errno_value) const {
    return Error::from_errno(operation, errno_value)
        .at(endpoint_.to_string())
        .fix(remedy_for(endpoint_, errno_value));
}

// `joins`: a further shard of an address that we hold already. Two sockets may both bind where both
// allow reuse: then it is listen that is refused.
Result<void> Listening::add_shard(const ListenPlan& plan, bool joins) {
    const auto socket = system_->open_socket(endpoint_);
    if (!socket) return fail(failed("socket", socket.errno_value()));
    sockets_.push_back(*socket);
    if (auto done = prepare_to_bind(*socket, joins); !done) return done;
    if (auto done = bind(*socket); !done) return done;
    if (auto done = prepare_to_listen(*socket, plan); !done) return done;
    const auto listening = system_->listen(*socket, plan.backlog);
    if (!listening) return fail(failed("listen", listening.errno_value()));
    if (endpoint_.is_unix()) return {};
    const auto real = system_->local_endpoint(*socket, endpoint_.scheme());
    if (!real) return fail(failed("getsockname", real.errno_value()));
    endpoint_ = *real;
    return {};
}

// SO_REUSEADDR always, on every listener: it is what lets the *next* server bind over our
// TIME_WAIT; both sides need it.
Result<void> Listening::prepare_to_bind(Descriptor socket, bool joins) {
    if (auto done = set(socket, SocketOption::reuse_address); !done) return done;
    return joins ? set(socket, SocketOption::reuse_port) : Result<void>{};
}

// What accepted sockets inherit, and the permission for further shards to join.
Result<void> Listening::prepare_to_listen(Descriptor socket, const ListenPlan& plan) {
    if (plan.shards > 1) {
        if (auto done = set(socket, SocketOption::reuse_port); !done) return done;
    }
    return plan.no_delay ? set(socket, SocketOption::no_delay) : Result<void>{};
}

// None of the options means anything on a Unix socket.
Result<void> Listening::set(Descriptor socket, SocketOption option) {
    if (endpoint_.is_unix()) return {};
    const auto done = system_->set(socket, option, 1);
    if (!done) return fail(failed("setsockopt", done.errno_value()));
    return {};
}

Result<void> Listening::bind(Descriptor socket) {
    if (endpoint_.is_unix() && !endpoint_.is_abstract()) return bind_path(socket);
    const auto bound = system_->bind(socket, endpoint_);
    if (!bound) return fail(failed("bind", bound.errno_value()));
    return {};
}

// ── Unix paths ───────────────────────────────────────────────────────────────────────────────

Result<void> Listening::bind_path(Descriptor socket) {
    const std::string& path = endpoint_.name();
    const auto held = lock_directory(*system_, path);
    if (!held) return fail(failed("lock directory", held.errno_value()));
    const DirectoryLock lock(*system_, *held);

    auto bound = system_->bind(socket, endpoint_);
    if (!bound && bound.errno_value() == EADDRINUSE) {
        auto cleared = clear_stale_path();
        if (!cleared) return cleared;
        bound = system_->bind(socket, endpoint_);
    }
    if (!bound) return fail(failed("bind", bound.errno_value()));
    const auto facts = system_->inspect(path);
    if (!facts) {  // without them it could not be told from another's later
        static_cast<void>(system_->unlink(path));
        return fail(failed("lstat", facts.errno_value()));
    }
    path_ = *facts;
    return {};
}

// Only a socket with nobody behind it is removed.
Result<void> Listening::clear_stale_path() {
    const std::string& path = endpoint_.name();
    const auto facts = system_->inspect(path);
    if (!facts) return fail(failed("lstat", facts.errno_value()));
    if (facts->kind == PathFacts::Kind::missing) return {};
    if (facts->kind != PathFacts::Kind::socket) {
        return fail(Error(ErrorCode::path_conflict, "bind")
                        .at(endpoint_.to_string())
                        .because("the path holds something that is not a socket")
                        .fix("remove it if it is not needed, or choose another path"));
    }
    const auto owned = system_->path_has_owner(path);
    if (!owned) return fail(failed("connect", owned.errno_value()));
    if (*owned) {
        return fail(
            failed("bind", EADDRINUSE).because("a live server owns the socket at this path"));
    }
    const auto removed = system_->unlink(path);
    if (!removed && removed.errno_value() != ENOENT) {
        return fail(failed("unlink", removed.errno_value()));
    }
    return {};
}

void Listening::release_path() {
    if (path_.kind != PathFacts::Kind::socket) return;
    const PathFacts ours = std::exchange(path_, {});
    const auto held = lock_directory(*system_, endpoint_.name());
    if (!held) return;
    const DirectoryLock lock(*system_, *held);
    const auto there = system_->inspect(endpoint_.name());
    if (there && *there == ours) static_cast<void>(system_->unlink(endpoint_.name()));
}

driver::Descriptor Listening::take_socket(std::size_t shard) {
    return std::exchange(sockets_[shard], Descriptor::none);
}

// ── Verification ─────────────────────────────────────────────────────────────────────────────

base::Outcome<void> try_bind(driver::System& system, const Endpoint& endpoint) {
    if (endpoint.is_unix() && !endpoint.is_abstract()) {
        const auto facts = system.inspect(endpoint.name());
        if (!facts) return base::failed(facts.errno_value());
        if (facts->kind != PathFacts::Kind::missing) return base::failed(EADDRINUSE);
        return {};
    }
    const auto socket = system.open_socket(endpoint);
    if (!socket) return base::failed(socket.errno_value());
    if (!endpoint.is_unix()) {
        static_cast<void>(system.set(*socket, SocketOption::reuse_address, 1));
    }
    auto bound = system.bind(*socket, endpoint);
    system.close(*socket);
    return bound;
}

}  // namespace berth::net
