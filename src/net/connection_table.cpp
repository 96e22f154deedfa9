// SPDX-License-Identifier: MIT
//
// ConnectionTable: opening, finding, and the end of the batch. Stops are in
// connection_table_drain.cpp.

#include "net/connection_table.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

namespace berth::net {

namespace {

std::size_t turn_limit(const Options& options) {
    return std::min(options.output_high, options.output_max);
}

int clipped_to_int(std::size_t value) {
    constexpr std::size_t kMax = std::numeric_limits<int>::max();
    return static_cast<int>(std::min(value, kMax));
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
    if (ConnectionCore* connection = admit(socket, peer, listener)) connection->open_accepted();
}

void ConnectionTable::refuse(driver::Descriptor socket, const IpEndpoint& peer,
                             std::size_t listener) {
    ConnectionCore* connection = admit(socket, peer, listener);
    if (connection == nullptr) return;
    counters_.refused.add();
    connection->open_refused();
    if (is_forced_) connection->force();  // the deadline has passed: nobody waits for its FIN
}

ConnectionCore* ConnectionTable::admit(driver::Descriptor socket, const IpEndpoint& peer,
                                       std::size_t listener) {
    ConnectionCore* connection =
        slots_.emplace(*this, NewConnection{.socket = socket, .peer = peer, .listener = listener});
    if (connection == nullptr) {
        counters_.accept_errors.add();
        system().close(socket);
        limit_.remove();
        host_.connection_reaped();
        return nullptr;
    }
    counters_.opened.add();
    counters_.accepted.add();
    return connection;
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
    if (options_.not_sent_max > 0 && !endpoint.is_unix()) {
        static_cast<void>(system().set(*socket, driver::SocketOption::not_sent_low,
                                       clipped_to_int(options_.not_sent_max)));
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
    if (connection.listener() == Connection::kNoListener) counters_.connected.add();
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

// ── The end of the batch ─────────────────────────────────────────────────────────────────────

void ConnectionTable::on_batch_end() {
    if (has_leftovers_) [[unlikely]]
        settle_leftovers();
    turn_.enter(Callback::none);
}

// What callbacks of this batch leave to do belongs to the next one, which must not wait.
[[gnu::noinline]] void ConnectionTable::settle_leftovers() {
    if (is_harvesting_) gather_harvest();
    if (!dirty_.empty()) settle_dirty();
    if (!finished_.empty()) finish_waiters();
    if (!reaped_.empty()) free_reaped();
    const bool is_urgent = !dirty_.empty() || !finished_.empty();
    if (is_urgent) loop_.hurry();
    has_leftovers_ = is_urgent || is_harvesting_;
}

void ConnectionTable::settle_dirty() {
    settling_.swap(dirty_);
    for (ConnectionCore* connection : settling_) connection->end_batch();
    settling_.clear();
}

void ConnectionTable::finish_later(WriteWaiter& waiter, Delivery delivery) {
    waiter.delivery = delivery;
    finished_.push(waiter);
    has_leftovers_ = true;
}

void ConnectionTable::finish_waiters() {
    WriteWaiters batch;
    batch.take(finished_);
    while (WriteWaiter* waiter = batch.pop()) waiter->finished(waiter->delivery);
}

void ConnectionTable::reap(ConnectionCore& connection, Stage last) {
    if (connection.was_opened()) --open_count_;
    counters_.reaped.add();
    reaped_.push_back(connection.slot());
    timers_.drop_those_of(connection.slot().slot);
    has_leftovers_ = true;
    limit_.remove();
    host_.connection_reaped();
    if (last != Stage::lingering) note_progress();
}

// Not before the end of the batch: a stale event of it, or dirty_, may still name the slot.
void ConnectionTable::free_reaped() {
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
