// SPDX-License-Identifier: MIT
//
// Connection: the public face of a ConnectionCore.

#include <berth/connection.hpp>

#include "base/assert.hpp"
#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/socket_settings.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace berth {

using driver::SocketOption;
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
Result<WriteStatus> Connection::write_with(Bytes bytes, std::span<FileDescriptor> descriptors) {
    return core_of(*this).write_with(bytes, descriptors);
}
std::vector<FileDescriptor> Connection::take_descriptors() {
    return core_of(*this).take_descriptors();
}
bool Connection::has_lost_descriptors() { return core_of(*this).has_lost_descriptors(); }
Result<void> Connection::send_file(const FilePart& part, Completion done) {
    return core_of(*this).send_file(part, std::move(done));
}
void Connection::flush() { core_of(*this).flush(); }
std::size_t Connection::unsent() const { return core_of(*this).unsent(); }
void Connection::end() { core_of(*this).end(); }
void Connection::close(CloseMode mode) { core_of(*this).close(mode, CloseReason::local_close); }

bool Connection::relay_to(Connection& other) { return core_of(*this).relay_to(core_of(other)); }

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

void Connection::set_idle_timeout(Duration timeout) {
    net::TimeLimits limits = core_of(*this).limits();
    limits.idle = timeout;
    core_of(*this).limit(limits);
}

void Connection::set_read_timeout(Duration timeout) {
    net::TimeLimits limits = core_of(*this).limits();
    limits.read = timeout;
    core_of(*this).limit(limits);
}

void Connection::set_write_stall_timeout(Duration timeout) {
    net::TimeLimits limits = core_of(*this).limits();
    limits.write_stall = timeout;
    core_of(*this).limit(limits);
}

void Connection::set_lifetime_max(Duration lifetime) {
    net::TimeLimits limits = core_of(*this).limits();
    limits.lifetime = lifetime;
    limits.has_jitter = false;
    core_of(*this).limit(limits);
}

void Connection::set_linger(Duration silence) {
    net::TimeLimits limits = core_of(*this).limits();
    limits.linger = silence;
    core_of(*this).limit(limits);
}

// ── Socket ───────────────────────────────────────────────────────────────────────────────────

Result<void> Connection::set_no_delay(bool on) {
    return core_of(*this).set_option("set_no_delay", {SocketOption::no_delay, on ? 1 : 0});
}

Result<void> Connection::set_keepalive(Duration idle, Duration interval, unsigned count) {
    constexpr const char* kName = "set_keepalive";
    const net::KeepAlive keepalive{.idle = idle, .interval = interval, .count = count};
    auto done = net::SettingsCheck(kName, "").keepalive(keepalive);
    if (!done) return done;
    for (const net::SocketSetting& setting : net::settings_of(keepalive)) {
        if (done = core_of(*this).set_option(kName, setting); !done) return done;
    }
    return done;
}

Result<void> Connection::set_user_timeout(Duration timeout) {
    constexpr const char* kName = "set_user_timeout";
    if (auto done = net::SettingsCheck(kName, "").user_timeout(timeout); !done) return done;
    return core_of(*this).set_option(kName, net::user_timeout_setting(timeout));
}

Result<void> Connection::set_receive_buffer(std::size_t bytes) {
    constexpr const char* kName = "set_receive_buffer";
    if (auto done = net::SettingsCheck(kName, "").buffer("bytes", bytes); !done) return done;
    return core_of(*this).set_option(kName,
                                     {SocketOption::receive_buffer, static_cast<int>(bytes)});
}

Result<void> Connection::set_send_buffer(std::size_t bytes) {
    constexpr const char* kName = "set_send_buffer";
    if (auto done = net::SettingsCheck(kName, "").buffer("bytes", bytes); !done) return done;
    return core_of(*this).set_option(kName, {SocketOption::send_buffer, static_cast<int>(bytes)});
}

Result<int> Connection::duplicate() const { return core_of(*this).duplicate(); }
Result<PeerCredentials> Connection::peer_credentials() const {
    return core_of(*this).peer_credentials();
}

// ── Identity ─────────────────────────────────────────────────────────────────────────────────

ConnectionId Connection::id() const { return core_of(*this).id(); }
EventLoop& Connection::loop() const { return core_of(*this).table().face(); }
std::size_t Connection::listener_index() const { return core_of(*this).listener(); }
Endpoint Connection::peer_endpoint() const { return core_of(*this).peer_endpoint(); }
Endpoint Connection::local_endpoint() const { return core_of(*this).local_endpoint(); }
ConnectionCounters Connection::counters() const { return core_of(*this).counters(); }
bool Connection::is_open() const { return net::may_write(core_of(*this).state()); }

void Connection::set_context(void* object, const Context::Destroy* tag) {
    core_of(*this).set_context(object, tag);
}
void* Connection::context_if(const Context::Destroy* tag) const {
    return core_of(*this).context_if(tag);
}

}  // namespace berth
