// SPDX-License-Identifier: MIT
//
// ConnectionTable: opening, finding, and the end of the batch. Connections that begin here are in
// connection_table_dial.cpp, stops in connection_table_drain.cpp.

#include "net/connection_table.hpp"

#include "net/datagram_link.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace berth::net {

namespace {

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
      memory_(setup.memory),
      turn_(turn_limit(setup.options)),
      slots_(base::Slab<ConnectionCore>::kSlotsMax) {}

// ── Opening ──────────────────────────────────────────────────────────────────────────────────

void ConnectionTable::adopt(driver::Descriptor socket, const IpEndpoint& peer,
                            std::size_t listener) {
    ConnectionCore* connection =
        admit({.socket = socket, .peer = peer, .listener = listener, .seat = Seat::held});
    if (connection != nullptr) connection->open_accepted();
}

void ConnectionTable::refuse(driver::Descriptor socket, const IpEndpoint& peer,
                             std::size_t listener, Refusal refusal) {
    counters_.refused[static_cast<std::size_t>(refusal)].add();
    const NewConnection made{
        .socket = socket, .peer = peer, .listener = listener, .seat = Seat::refused};
    if (refused_count_ >= kRefusedMax) {
        system().shutdown(socket);
        return never_was(made);
    }
    ConnectionCore* connection = admit(made);
    if (connection == nullptr) return;
    ++refused_count_;
    connection->open_refused();
    if (is_forced_) connection->force();  // the deadline has passed: nobody waits for its FIN
}

ConnectionCore* ConnectionTable::admit(const NewConnection& made) {
    ConnectionCore* connection = slots_.emplace(*this, made);
    if (connection == nullptr) {
        counters_.accept_errors.add();
        never_was(made);
        return nullptr;
    }
    counters_.opened.add();
    counters_.accepted.add();
    return connection;
}

DatagramLink& ConnectionTable::add_link(ConnectionCore& connection) {
    return keep_link(connection, std::make_unique<DatagramLink>(connection, *this));
}

ConnectionCore* ConnectionTable::admit_session(const IpEndpoint& peer, std::size_t listener) {
    limit_.add_session();
    expect();
    return admit({.socket = driver::Descriptor::none,
                  .peer = peer,
                  .listener = listener,
                  .seat = Seat::session});
}

MessageLink& ConnectionTable::add_message_link(ConnectionCore& connection,
                                               const MessagePlan& plan) {
    return keep_link(connection, std::make_unique<MessageLink>(connection, *this, plan));
}

template <class Made>
Made& ConnectionTable::keep_link(const ConnectionCore& connection, std::unique_ptr<Made> made) {
    Made& kept = *made;
    carry(connection, std::move(made));
    return kept;
}

void ConnectionTable::carry(const ConnectionCore& connection, std::unique_ptr<Link> link) {
    const std::size_t slot = connection.slot().slot;
    if (links_.size() <= slot) links_.resize(slot + 1);
    links_[slot] = std::move(link);
}

std::optional<MessagePlan> ConnectionTable::message_plan(const ConnectionCore& connection) const {
    const std::size_t listener = connection.listener();
    if (listener != Connection::kNoListener) {
        return MessagePlan::of(host_.listening_on(listener).scheme(), options_.descriptors_max);
    }
    const Scheme scheme = dialled_.at(connection.slot().slot).peer.scheme();
    const bool is_packet = scheme == Scheme::unix_packet;
    return MessagePlan::of(scheme, is_packet ? options_.descriptors_max : 0);
}

// Its pages are taken as far as long packets come.
MutableBytes ConnectionTable::message_room() {
    const std::size_t size = options_.packet_max;
    if (!message_room_) message_room_ = std::make_unique_for_overwrite<std::byte[]>(size);
    return {message_room_.get(), size};
}

void ConnectionTable::never_was(const NewConnection& made) {
    if (driver::is_open(made.socket)) system().close(made.socket);
    give_place_back(made.seat, made.listener, made.peer);
    unexpect();
    host_.connection_reaped();
}

void ConnectionTable::give_place_back(Seat seat, std::size_t listener, const IpEndpoint& peer) {
    if (seat == Seat::session) {
        host_.session_left(listener);
        return limit_.remove_session();
    }
    if (seat == Seat::held) host_.place_left(listener, peer);
    limit_.remove();
}

const SplicePipe* ConnectionTable::splice_pipe() {
    if (!splice_pipe_) splice_pipe_.emplace(system());
    return splice_pipe_->is_open() ? &*splice_pipe_ : nullptr;
}

void ConnectionTable::remember_peer(std::uint32_t slot, const IpEndpoint& peer) {
    if (peers_.size() <= slot) peers_.resize(slot + 1);
    peers_[slot] = peer;
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
    return transports_->dial(dialled_.at(connection.slot().slot).peer);
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
    if (!taken_over_.empty()) open_taken_over();
    if (!settled_dials_.empty()) settle_dials();
    if (!ended_dials_.empty()) tell_ended_dials();
    if (!reaped_.empty()) free_reaped();
    const bool is_urgent = !dirty_.empty() || !finished_.empty() || !taken_over_.empty() ||
                           !settled_dials_.empty() || !ended_dials_.empty();
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
    if (!watches_.empty()) watches_.erase(connection.slot().slot);
    has_leftovers_ = true;
    if (connection.seat() == Seat::refused) --refused_count_;
    give_place_back(connection.seat(), connection.listener(), connection.peer());
    unexpect();
    host_.connection_reaped();
    if (last != Stage::lingering) note_progress();
}

// Not before the end of the batch: a stale event of it, or dirty_, may still name the slot.
void ConnectionTable::free_reaped() {
    for (const base::SlotId slot : reaped_) {
        slots_.erase(slot);
        if (slot.slot < wires_.size()) wires_[slot.slot].reset();
        if (slot.slot < links_.size()) links_[slot.slot].reset();
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
