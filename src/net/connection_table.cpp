// SPDX-License-Identifier: MIT
//
// ConnectionTable: opening, finding, draining, and the end of the batch.

#include "net/connection_table.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace berth::net {

namespace {

// With the default budget and the kernel's largest receive buffer some 24 polls would do.
constexpr unsigned kHarvestPollsMax = 64;

std::size_t turn_limit(const Options& options) {
    return std::min(options.output_high, options.output_max);
}

}  // namespace

ConnectionTable::ConnectionTable(const TableSetup& setup, driver::System& system)
    : face_(setup.face),
      loop_index_(setup.loop_index),
      handler_(setup.handler),
      options_(setup.options),
      limit_(setup.limit),
      host_(setup.host),
      transports_(setup.transports),
      loop_(system, *this),
      turn_(turn_limit(setup.options)),
      slots_(base::Slab<ConnectionCore>::kSlotsMax) {}

// ── Opening ──────────────────────────────────────────────────────────────────────────────────

void ConnectionTable::adopt(driver::Descriptor socket, const IpEndpoint& peer,
                            std::size_t listener) {
    ConnectionCore* connection =
        slots_.emplace(*this, NewConnection{.socket = socket, .peer = peer, .listener = listener});
    if (connection == nullptr) {
        counters_.accept_errors.add();
        system().close(socket);
        limit_.remove();
        return host_.connection_reaped();
    }
    counters_.opened.add();
    connection->open_accepted();
}

Result<ConnectionId> ConnectionTable::connect(const Endpoint& endpoint, Deadline deadline) {
    if (!endpoint.is_stream()) {
        return fail(Error(ErrorCode::unsupported, "connect")
                        .at(endpoint.to_string())
                        .because("only tcp and unix streams can be connected"));
    }
    if (is_stopping()) {
        return fail(Error(ErrorCode::not_running, "connect").because("the engine is stopping"));
    }
    auto socket = system().open_socket(endpoint);
    if (!socket) {
        return fail(Error::from_errno("socket", socket.errno_value()).at(endpoint.to_string()));
    }
    if (options_.no_delay && !endpoint.is_unix()) {
        static_cast<void>(system().set(*socket, driver::SocketOption::no_delay, 1));
    }
    ConnectionCore* connection = slots_.emplace(
        *this, NewConnection{
                   .socket = *socket, .peer = endpoint.ip(), .listener = Connection::kNoListener});
    if (connection == nullptr) {
        system().close(*socket);
        return fail(Error(ErrorCode::memory_limit, "connect").at(endpoint.to_string()));
    }
    limit_.add();
    counters_.opened.add();
    const ConnectionId id = connection->id();
    dialled_.emplace(connection->slot().slot, endpoint);
    connection->start_connecting(endpoint, deadline);
    return id;
}

bool ConnectionTable::add_wire(const ConnectionCore& connection) {
    if (transports_ == nullptr) return false;
    auto made = make_transport(connection);
    if (!made) return false;
    const std::size_t slot = connection.slot().slot;
    if (wires_.size() <= slot) wires_.resize(slot + 1);
    wires_[slot] = std::make_unique<Wire>(std::move(made), output_pool_);
    return true;
}

std::unique_ptr<transport::Transport> ConnectionTable::make_transport(
    const ConnectionCore& connection) {
    if (connection.listener() != Connection::kNoListener) {
        return transports_->accept(connection.listener());
    }
    return transports_->dial(dialled_.at(connection.slot().slot));
}

void ConnectionTable::opened(ConnectionCore& connection) {
    ++open_count_;
    if (!dialled_.empty()) dialled_.erase(connection.slot().slot);
}

void ConnectionTable::connect_failed(const ConnectionCore& connection, int errno_value) {
    const auto dialled = dialled_.extract(connection.slot().slot);
    const Error error = Error::from_errno("connect", errno_value).at(dialled.mapped().to_string());
    guarded_void(Callback::on_connect_failed,
                 [&] { handler_.on_connect_failed(face_, connection.id(), error); });
}

ConnectionCore* ConnectionTable::find_any(ConnectionId id) {
    if (id.loop() != loop_index_) return nullptr;
    ConnectionCore* connection = slots_.find({id.slot(), id.generation()});
    return connection == nullptr || connection->is_gone() ? nullptr : connection;
}

ConnectionCore* ConnectionTable::find(ConnectionId id) {
    ConnectionCore* connection = find_any(id);
    return connection == nullptr || !connection->was_opened() ? nullptr : connection;
}

// ── Stopping ─────────────────────────────────────────────────────────────────────────────────

void ConnectionTable::begin_run() {
    drain_deadline_.reset();
    is_forced_ = false;
}

void ConnectionTable::begin_drain(Deadline deadline) {
    drain_deadline_ = deadline;
    slots_.for_each([this](ConnectionCore& connection) { drain(connection); });
}

void ConnectionTable::drain(ConnectionCore& connection) {
    if (is_forced_) return connection.force();
    connection.drain(*drain_deadline_);
}

// Input that the kernel has before our FIN is a request that arrived in time: it is read and
// answered first. A poll that began after this (the one under way does not count) and had to put
// nothing off proves that nothing was left. Whoever goes on sending has kHarvestPollsMax polls.
void ConnectionTable::finish_drain_later(ConnectionCore& connection) {
    if (!connection.begin_harvest()) return;
    if (draining_.empty()) harvest_polls_ = 0;
    draining_.push_back(connection.slot());
    polls_before_fin_ = 2;
    loop_.hurry();
}

[[gnu::noinline]] void ConnectionTable::drain_after_harvest() {
    if (--polls_before_fin_ > 0) return loop_.hurry();
    const bool is_patient = ++harvest_polls_ < kHarvestPollsMax;
    if (driver().delivered_all() || !is_patient) finish_drains(is_patient);
    if (draining_.empty()) return;
    polls_before_fin_ = 1;
    loop_.hurry();
}

void ConnectionTable::finish_drains(bool is_patient) {
    for (const base::SlotId slot : std::exchange(draining_, {})) {
        ConnectionCore* connection = slots_.find(slot);
        if (connection == nullptr || connection->is_gone()) continue;
        if (is_patient && driver().is_put_off(*connection)) {
            draining_.push_back(slot);
        } else {
            connection->finish_drain();
        }
    }
}

void ConnectionTable::force_all() {
    is_forced_ = true;
    slots_.for_each([](ConnectionCore& connection) { connection.force(); });
}

void ConnectionTable::abandon_all(CloseReason reason) {
    slots_.for_each([reason](ConnectionCore& connection) { connection.abandon(reason); });
}

// ── The end of the batch ─────────────────────────────────────────────────────────────────────

void ConnectionTable::on_batch_end() {
    if (polls_before_fin_ > 0) drain_after_harvest();
    if (!dirty_.empty()) settle_dirty();
    if (!finished_.empty()) finish_waiters();
    if (!reaped_.empty()) free_reaped();
    // What callbacks of this batch left to do belongs to the next one, which must not wait.
    if (!dirty_.empty() || !finished_.empty()) loop_.hurry();
    turn_.enter(Callback::none);
}

[[gnu::noinline]] void ConnectionTable::settle_dirty() {
    settling_.swap(dirty_);
    for (ConnectionCore* connection : settling_) connection->end_batch();
    settling_.clear();
}

void ConnectionTable::finish_later(WriteWaiter& waiter, Delivery delivery) {
    waiter.delivery = delivery;
    finished_.push(waiter);
}

[[gnu::noinline]] void ConnectionTable::finish_waiters() {
    WriteWaiters batch;
    batch.take(finished_);
    while (WriteWaiter* waiter = batch.pop()) waiter->finished(waiter->delivery);
}

void ConnectionTable::reap(ConnectionCore& connection) {
    if (connection.was_opened()) --open_count_;
    counters_.reaped.add();
    reaped_.push_back(connection.slot());
    limit_.remove();
    host_.connection_reaped();
}

// Not before the end of the batch: a stale event of it, or dirty_, may still name the slot.
[[gnu::noinline]] void ConnectionTable::free_reaped() {
    for (const base::SlotId slot : reaped_) {
        slots_.erase(slot);
        if (slot.slot < wires_.size()) wires_[slot.slot].reset();
    }
    reaped_.clear();
}

// ── The user's exceptions ────────────────────────────────────────────────────────────────────

void ConnectionTable::threw(Callback callback) {
    counters_.handler_exceptions.add();
    try {
        throw;
    } catch (const std::exception& exception) {
        host_.handler_threw(callback, exception.what());
    } catch (...) {
        host_.handler_threw(callback, "not a std::exception");
    }
}

}  // namespace berth::net
