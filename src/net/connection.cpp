// SPDX-License-Identifier: MIT
//
// Connection: the public face of a ConnectionCore.

#include <berth/connection.hpp>

#include "base/assert.hpp"
#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace berth {

using net::ConnectionCore;
using TimerPlan = net::TimerTable::Plan;

namespace {

constexpr const char* kLoopOnly = "a Connection is used on its loop's thread only";

// The core behind the face, for calls of users.
ConnectionCore& core_of(Connection& connection) {
    ConnectionCore& core = ConnectionCore::of(connection);
    BERTH_DEBUG_ASSERT(core.table().loop().is_on_its_thread(), kLoopOnly);
    return core;
}

const ConnectionCore& core_of(const Connection& connection) {
    const ConnectionCore& core = ConnectionCore::of(connection);
    BERTH_DEBUG_ASSERT(core.table().loop().is_on_its_thread(), kLoopOnly);
    return core;
}

}  // namespace

// ── Input ────────────────────────────────────────────────────────────────────────────────────

Bytes Connection::peek() const { return core_of(*this).unread(); }

std::size_t Connection::unread() const { return peek().size(); }

Bytes Connection::next(std::size_t count) {
    ConnectionCore& core = core_of(*this);
    const Bytes unread = core.unread();
    const Bytes taken = unread.first(std::min(count, unread.size()));
    core.discard(taken.size());  // kept in place until the callback ends
    return taken;
}

std::size_t Connection::read(MutableBytes into) {
    ConnectionCore& core = core_of(*this);
    const Bytes unread = core.unread();
    const std::size_t count = std::min(into.size(), unread.size());
    if (count > 0) std::memcpy(into.data(), unread.data(), count);
    core.discard(count);
    return count;
}

std::size_t Connection::discard(std::size_t count) { return core_of(*this).discard(count); }

Buffer Connection::take(std::size_t count) {
    ConnectionCore& core = core_of(*this);
    const Bytes unread = core.unread();
    Buffer taken = Buffer::copy_of(unread.first(std::min(count, unread.size())));
    core.discard(taken.size());
    return taken;
}

void Connection::pause_read() { core_of(*this).pause_by_user(); }
void Connection::resume_read() { core_of(*this).resume_by_user(); }

// ── Output ───────────────────────────────────────────────────────────────────────────────────

WriteStatus Connection::write(Bytes bytes) { return core_of(*this).write(bytes); }
WriteStatus Connection::write(Buffer&& buffer) { return core_of(*this).write(std::move(buffer)); }
void Connection::flush() { core_of(*this).flush(); }
std::size_t Connection::unsent() const { return core_of(*this).unsent(); }
void Connection::end() { core_of(*this).end(); }
void Connection::close(CloseMode mode) { core_of(*this).close(mode, CloseReason::local_close); }

InFlight Connection::begin() {
    ConnectionCore& core = core_of(*this);
    if (core.is_gone()) return {};
    core.begin_request();
    return {core.table().face().engine(), core.id()};
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

TimerId Connection::schedule_after(Duration delay, UniqueFunction<void(Connection&)> task) {
    ConnectionCore& core = core_of(*this);
    return core.schedule(TimerPlan::after(core.table().loop().now(), delay), std::move(task));
}

TimerId Connection::schedule_every(Duration period, UniqueFunction<void(Connection&)> task) {
    ConnectionCore& core = core_of(*this);
    return core.schedule(TimerPlan::every(core.table().loop().now(), period), std::move(task));
}

// ── Identity ─────────────────────────────────────────────────────────────────────────────────

ConnectionId Connection::id() const { return core_of(*this).id(); }
EventLoop& Connection::loop() const { return core_of(*this).table().face(); }
std::size_t Connection::listener_index() const { return core_of(*this).listener(); }
Endpoint Connection::peer_endpoint() const { return core_of(*this).peer_endpoint(); }
Endpoint Connection::local_endpoint() const { return core_of(*this).local_endpoint(); }
ConnectionCounters Connection::counters() const { return core_of(*this).counters(); }
bool Connection::is_open() const { return net::may_write(core_of(*this).state()); }

void Connection::set_context(void* object, const Destroy* tag) {
    core_of(*this).set_context(object, tag);
}
void* Connection::context_if(const Destroy* tag) const { return core_of(*this).context_if(tag); }

}  // namespace berth
