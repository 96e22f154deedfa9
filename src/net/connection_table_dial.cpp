// SPDX-License-Identifier: MIT
//
// ConnectionTable: connections that begin here: dialled, or adopted from outside.
//
// Each attempt has an entry in dialled_ until it is open or has failed; the end of the batch then
// tells whoever wants to know, after the handler.

#include "net/connection_table.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace berth::net {

namespace {

Error cannot_connect(ErrorCode code, const Destination& to, const char* why) {
    return Error(code, "connect").at(to.to_string()).because(why);
}

Result<void> check_descriptors(const Destination& to, std::size_t descriptors_max) {
    if (descriptors_max == 0) return {};
    if (!to.endpoint().is_unix() || to.endpoint().is_datagram()) {
        return fail(cannot_connect(ErrorCode::unsupported, to,
                                   "descriptors travel over unix: and unixpacket: only"));
    }
    if (descriptors_max > driver::System::kAttachedMax) {
        return fail(cannot_connect(ErrorCode::invalid_option, to,
                                   "descriptors_max is above 253, what one message may carry"));
    }
    return {};
}

struct AdoptionRow {
    int errno_value;
    const char* problem;
    const char* remedy;
};
constexpr std::array kCannotAdopt{
    AdoptionRow{EBADF, "is not open", "hand over one that is, and close it no more"},
    AdoptionRow{ENOTSOCK, "is not a socket", "read it on a thread of yours, and post what comes"},
    AdoptionRow{ESOCKTNOSUPPORT, "is a socket of a kind that no connection has",
                "adopt tcp, udp and Unix sockets; read this one on a thread of yours"},
    AdoptionRow{EINVAL, "is a socket that listens", "accept from it, and adopt what comes"},
    AdoptionRow{ENOTCONN, "is not connected", "connect it before, or dial with connect()"},
};

Error cannot_adopt(driver::Descriptor socket, int errno_value) {
    const auto* const row = std::ranges::find(kCannotAdopt, errno_value, &AdoptionRow::errno_value);
    if (row == kCannotAdopt.end()) return Error::from_errno("adopt", errno_value);
    return Error(ErrorCode::invalid_option, "adopt")
        .because("descriptor " + std::to_string(driver::number(socket)) + " " + row->problem)
        .fix(row->remedy);
}

}  // namespace

// ── Dialling ─────────────────────────────────────────────────────────────────────────────────

Result<ConnectionId> ConnectionTable::connect(const Destination& to, DialOptions&& options) {
    if (is_stopping()) {
        return fail(cannot_connect(ErrorCode::not_running, to, "the engine is stopping"));
    }
    if (auto checked = check_dial(options); !checked) {
        return fail(std::move(checked.error()).at(to.to_string()));
    }
    if (auto checked = check_descriptors(to, options.descriptors_max); !checked) {
        return fail(std::move(checked.error()));
    }
    const bool has_one_attempt = !to.is_name() && options.retry.attempts == 1;
    return has_one_attempt ? connect_at_once(to.endpoint(), std::move(options))
                           : begin_dial(to, std::move(options));
}

Result<ConnectionId> ConnectionTable::connect_at_once(const Endpoint& to, DialOptions&& options) {
    auto socket = open_own(to, options.local);
    if (!socket) return fail(std::move(socket.error()));
    ConnectionCore* connection = admit_own(*socket, to);
    if (connection == nullptr) {
        system().close(*socket);
        return fail(Error(ErrorCode::memory_limit, "connect").at(to.to_string()));
    }
    const ConnectionId id = connection->id();
    const Deadline deadline = options.deadline;
    const std::size_t descriptors_max = options.descriptors_max;
    note_dialled(*connection, to, std::move(options));
    connection->start_connecting(to, deadline, descriptors_max);
    return id;
}

Result<ConnectionId> ConnectionTable::begin_dial(const Destination& to, DialOptions&& options) {
    ConnectionCore* connection = admit_own(driver::Descriptor::none, Endpoint());
    if (connection == nullptr) {
        return fail(Error(ErrorCode::memory_limit, "connect").at(to.to_string()));
    }
    DialPlan plan{.deadline = options.deadline,
                  .local = options.local,
                  .descriptors_max = options.descriptors_max,
                  .attempt_delay = options.attempt_delay,
                  .retry = options.retry};
    connection->start_dialling(plan.deadline);
    Dialled& dialled = note_dialled(*connection, to.endpoint(), std::move(options));
    dialled.dial = std::make_unique<Dial>(*this, *connection, to, std::move(plan));
    dialled.dial->begin();
    return connection->id();
}

Result<driver::Descriptor> ConnectionTable::open_own(const Endpoint& to,
                                                     const std::optional<Endpoint>& local) {
    const auto socket = system().open_socket(to);
    if (!socket) return fail(Error::from_errno("socket", socket.errno_value()).at(to.to_string()));
    if (auto bound = bind_local(*socket, to, local); !bound) {
        system().close(*socket);
        return fail(std::move(bound.error()));
    }
    set_options(*socket, to);
    return *socket;
}

Result<void> ConnectionTable::bind_local(driver::Descriptor socket, const Endpoint& endpoint,
                                         const std::optional<Endpoint>& local) {
    if (!local) return {};
    if (endpoint.is_unix() || local->is_unix()) {
        return fail(Error(ErrorCode::unsupported, "bind")
                        .at(local->to_string())
                        .because("a local address is for tcp and udp only"));
    }
    if (local->port() == 0) {
        static_cast<void>(system().set(socket, driver::SocketOption::late_port, 1));
    }
    const auto bound = system().bind(socket, *local);
    if (bound) return {};
    return fail(Error::from_errno("bind", bound.errno_value()).at(local->to_string()));
}

void ConnectionTable::set_options(driver::Descriptor socket, const Endpoint& endpoint) {
    if (endpoint.is_udp()) return;  // its buffers are the kernel's
    for (const SocketSetting& setting : settings_) {
        if (endpoint.is_unix() && !setting.is_general()) continue;
        static_cast<void>(system().set(socket, setting.option, setting.value));
    }
}

// Null: there is no slot for it, and the socket is still the caller's.
ConnectionCore* ConnectionTable::admit_own(driver::Descriptor socket, const Endpoint& peer) {
    ConnectionCore* connection = slots_.emplace(
        *this,
        NewConnection{.socket = socket, .peer = peer.ip(), .listener = Connection::kNoListener});
    if (connection == nullptr) return nullptr;
    limit_.add();
    expect();
    counters_.opened.add();
    return connection;
}

ConnectionTable::Dialled& ConnectionTable::note_dialled(ConnectionCore& connection,
                                                        const Endpoint& peer,
                                                        DialOptions&& options) {
    connection.set_context(std::move(options.context));
    Dialled dialled{.peer = peer, .done = std::move(options.done)};
    return dialled_.insert_or_assign(connection.slot().slot, std::move(dialled)).first->second;
}

// ── Several attempts ─────────────────────────────────────────────────────────────────────────

Dial* ConnectionTable::dial_of(const ConnectionCore& connection) {
    if (connection.listener() != Connection::kNoListener || connection.was_opened()) return nullptr;
    const auto found = dialled_.find(connection.slot().slot);
    if (found == dialled_.end()) return nullptr;
    Dial* const dial = found->second.dial.get();
    return dial == nullptr || dial->is_over() ? nullptr : dial;
}

void ConnectionTable::resolved(ConnectionId id, Result<ResolvedName>&& answer) {
    ConnectionCore* const connection = find_any(id);
    Dial* const dial = connection == nullptr ? nullptr : dial_of(*connection);
    if (dial != nullptr) dial->resolved(std::move(answer));
}

void ConnectionTable::resolved_early(ConnectionId id, const ResolvedName& known) {
    ConnectionCore* const connection = find_any(id);
    Dial* const dial = connection == nullptr ? nullptr : dial_of(*connection);
    if (dial != nullptr) dial->resolved_early(known);
}

bool ConnectionTable::give_up_dial(const ConnectionCore& connection) {
    Dial* const dial = dial_of(connection);
    if (dial != nullptr) dial->give_up();
    return dial != nullptr;
}

void ConnectionTable::abandon_dial(const ConnectionCore& connection) {
    if (Dial* const dial = dial_of(connection)) dial->abandon();
}

void ConnectionTable::settle_dial_later(const ConnectionCore& connection) {
    settled_dials_.push_back(connection.slot());
    has_leftovers_ = true;
    loop_.hurry();
}

void ConnectionTable::settle_dials() {
    settling_dials_.swap(settled_dials_);
    for (const base::SlotId slot : settling_dials_) {
        if (ConnectionCore* const connection = slots_.find(slot)) settle_dial(*connection);
    }
    settling_dials_.clear();
}

// The dial is gone when this returns.
void ConnectionTable::settle_dial(ConnectionCore& connection) {
    Dial* const dial = dial_of(connection);
    if (dial == nullptr) return;
    if (!dial->has_won()) {
        dial->end();
        return connection.on_closed();
    }
    const Dial::Winner winner = dial->take_winner();
    dialled_.at(connection.slot().slot).peer = winner.peer;
    connection.open_dialled(winner.socket, winner.peer, winner.descriptors_max);
}

// ── Adopting ─────────────────────────────────────────────────────────────────────────────────

// Opened at the end of the batch: no callback runs from inside a user's call.
Result<ConnectionId> ConnectionTable::take_over(driver::Descriptor socket, Context&& context) {
    if (is_stopping()) {
        return fail(Error(ErrorCode::not_running, "adopt").because("the engine is stopping"));
    }
    bool is_ours = false;
    slots_.for_each([&](const ConnectionCore& connection) {
        is_ours = is_ours || connection.descriptor == socket;
    });
    if (is_ours && driver::is_open(socket)) {
        return fail(Error(ErrorCode::invalid_option, "adopt")
                        .because("descriptor " + std::to_string(driver::number(socket)) +
                                 " is a connection of this loop already"));
    }
    const auto peer = system().adopt(socket);
    if (!peer) return fail(cannot_adopt(socket, peer.errno_value()));
    set_options(socket, *peer);
    ConnectionCore* connection = admit_own(socket, *peer);
    if (connection == nullptr) return fail(Error(ErrorCode::memory_limit, "adopt"));
    note_dialled(*connection, *peer, {.context = std::move(context)});
    taken_over_.push_back(connection->slot());
    has_leftovers_ = true;
    loop_.hurry();
    return connection->id();
}

void ConnectionTable::open_taken_over() {
    opening_.swap(taken_over_);
    for (const base::SlotId slot : opening_) {
        ConnectionCore* connection = slots_.find(slot);
        if (connection == nullptr || connection->is_gone()) continue;
        const Endpoint& peer = dialled_.at(slot.slot).peer;
        if (peer.is_datagram()) {
            connection->adopt_datagrams(peer.scheme());
        } else {
            connection->open_accepted();
        }
    }
    opening_.clear();
}

// ── How it ended ─────────────────────────────────────────────────────────────────────────────

void ConnectionTable::opened(ConnectionCore& connection) {
    ++open_count_;
    if (connection.listener() == Connection::kNoListener) counters_.connected.add();
    if (dialled_.empty()) return;
    auto dialled = dialled_.extract(connection.slot().slot);
    if (!dialled.empty()) conclude_dial(std::move(dialled.mapped().done), connection.id());
}

void ConnectionTable::connect_failed(const ConnectionCore& connection, int errno_value) {
    auto dialled = dialled_.extract(connection.slot().slot);
    const Dialled& entry = dialled.mapped();
    const Error error = entry.dial
                            ? entry.dial->error(errno_value)
                            : Error::from_errno("connect", errno_value).at(entry.peer.to_string());
    guarded_void(Callback::on_connect_failed,
                 [&] { handler_.on_connect_failed(face_, connection.id(), error); });
    conclude_dial(std::move(dialled.mapped().done), fail(error));
}

void ConnectionTable::conclude_dial(DialCompletion&& done, Result<ConnectionId>&& outcome) {
    if (!done) return;
    ended_dials_.push_back({.done = std::move(done), .outcome = std::move(outcome)});
    has_leftovers_ = true;
}

void ConnectionTable::tell_ended_dials() {
    telling_.swap(ended_dials_);
    for (EndedDial& dial : telling_) {
        guarded_void(Callback::completion, [&] { dial.done(face_, dial.outcome); });
    }
    telling_.clear();
}

}  // namespace berth::net
