// SPDX-License-Identifier: MIT
//
// World: what is the same in all of them, built from System and Driver calls.

#include "conformance/world.hpp"

#include "support/raw_socket.hpp"

#include <cerrno>
#include <chrono>

namespace berth::conformance {

using driver::Bounds;
using driver::DatagramSocket;
using driver::Descriptor;
using driver::Driver;
using driver::Ending;
using driver::Listener;
using driver::Outcome;
using driver::SocketOption;
using driver::Source;
using driver::Stream;

namespace {

constexpr Duration kShortWait = std::chrono::milliseconds{5};
constexpr int kListenerBacklog = 128;

}  // namespace

// ── Opening and closing ──────────────────────────────────────────────────────────────────────

void World::open(const Bounds& bounds) {
    descriptors_before_ = system().descriptors_open();
    auto opened = open_driver(sink_, bounds);
    ASSERT_TRUE(opened) << "open: errno " << opened.errno_value();
    driver_ =
        std::make_unique<CheckedDriver>(std::move(*opened), ledger_, sink_, kernel_allocates());
}

Outcome<void> World::try_open(const Bounds& bounds) {
    const auto opened = open_driver(sink_, bounds);
    if (!opened) return base::failed(opened.errno_value());
    return {};
}

void World::close() {
    sink_.on_completion.reset();
    if (driver_) close_streams_and_listeners();
    close_descriptors();
    driver_.reset();
    EXPECT_EQ(system().descriptors_open(), descriptors_before_) << "a descriptor is left over (12)";
}

void World::close_streams_and_listeners() {
    for (Listening& each : listening_) {
        if (ledger_.is(each.listener, Ledger::kAccepting)) driver_->stop_accept(each.listener);
    }
    for (Stream& stream : streams_) {
        const bool open = ledger_.is(stream, Ledger::kOpen);
        if (open && !ledger_.is(stream, Ledger::kClosing)) driver_->close(stream, Ending::orderly);
    }
    for (DatagramSocket& socket : datagram_sockets_) {
        if (ledger_.is(socket, Ledger::kDatagrams)) driver_->stop_receive_datagrams(socket);
    }
    for (driver::Watched& watched : watched_) {
        const bool is_watched = ledger_.is(watched, Ledger::kWatched);
        if (is_watched && !ledger_.is(watched, Ledger::kClosing)) driver_->stop_watch(watched);
    }
    EXPECT_TRUE(until([&] { return !ledger_.anything_in_flight(); })) << "no last completion (2)";
}

// What never came to the driver, or came back from it.
void World::close_descriptors() {
    for (Listening& each : listening_) close_descriptor(each.listener);
    for (Stream& stream : streams_) close_descriptor(stream);
    for (DatagramSocket& socket : datagram_sockets_) close_descriptor(socket);
    for (driver::Watched& watched : watched_) close_descriptor(watched);
    for (const Descriptor descriptor : sink_.unclaimed) system().close(descriptor);
}

void World::close_descriptor(Source& source) {
    if (is_open(source.descriptor)) system().close(source.descriptor);
    source.descriptor = Descriptor::none;
}

// ── Setting a scene ──────────────────────────────────────────────────────────────────────────

Outcome<Descriptor> World::bound_socket(const Endpoint& endpoint) {
    auto socket = system().open_socket(endpoint);
    if (!socket) return socket;
    if (!endpoint.is_unix()) {  // as every server does, or TIME_WAIT would keep the port
        EXPECT_TRUE(system().set(*socket, SocketOption::reuse_address, 1));
    }
    auto done = system().bind(*socket, endpoint);
    if (done) done = system().listen(*socket, kListenerBacklog);
    if (done) return socket;
    system().close(*socket);
    return base::failed(done.errno_value());
}

Listener& World::listen() {
    Listening& made = listening_.emplace_back();
    const Endpoint wanted = fresh_endpoint();
    const auto socket = bound_socket(wanted);
    EXPECT_TRUE(socket) << wanted.to_string() << ": errno " << socket.errno_value();
    if (!socket) return made.listener;
    made.listener.descriptor = *socket;
    const auto local = system().local_endpoint(*socket, wanted.scheme());
    EXPECT_TRUE(local) << "errno " << local.errno_value();
    if (local) made.endpoint = *local;
    return made.listener;
}

Listener& World::listen_beside(const Listener& listener) {
    const Endpoint endpoint = endpoint_of(listener);
    const auto other = system().duplicate(listener.descriptor);
    EXPECT_TRUE(other) << "duplicate: errno " << other.errno_value();
    Listening& made = listening_.emplace_back();
    if (other) made.listener.descriptor = *other;
    made.endpoint = endpoint;
    return made.listener;
}

DatagramSocket& World::datagram_socket() {
    DatagramSocket& made = datagram_sockets_.emplace_back();
    const Endpoint wanted{Scheme::udp, test::loopback_endpoint().ip()};
    const auto socket = system().open_socket(wanted);
    EXPECT_TRUE(socket && system().bind(*socket, wanted)) << wanted.to_string();
    if (socket) made.descriptor = *socket;
    return made;
}

const Endpoint& World::endpoint_of(const Listener& listener) const {
    for (const Listening& each : listening_) {
        if (&each.listener == &listener) return each.endpoint;
    }
    ADD_FAILURE() << "not a listener of this world";
    return listening_.front().endpoint;
}

int World::listen_again(const Endpoint& endpoint) {
    if (endpoint.is_unix()) {
        const auto owned = system().path_has_owner(endpoint.name());
        if (!owned || *owned) return EADDRINUSE;
        EXPECT_TRUE(system().unlink(endpoint.name()));
    }
    const auto socket = bound_socket(endpoint);
    if (socket) system().close(*socket);
    return socket.errno_value();
}

std::unique_ptr<test::Peer> World::connect(const Listener& to) {
    return connect(endpoint_of(to), PeerBuffer::usual);
}

Stream& World::stream_towards(const Endpoint& endpoint) {
    const auto socket = system().open_socket(endpoint);
    EXPECT_TRUE(socket) << "errno " << socket.errno_value();
    Stream& stream = streams_.emplace_back();
    if (socket) stream.descriptor = *socket;
    return stream;
}

Stream& World::stream_over(Descriptor accepted) {
    std::erase(sink_.unclaimed, accepted);
    Stream& stream = streams_.emplace_back();
    stream.descriptor = accepted;
    return stream;
}

Pair World::pair(PeerBuffer buffer) {
    auto [descriptor, peer] = accepted_pair(buffer);
    return {stream_over(descriptor), std::move(peer)};
}

WatchedPair World::watched_pair() {
    auto [descriptor, peer] = accepted_pair(PeerBuffer::usual);
    driver::Watched& watched = watched_.emplace_back();
    watched.descriptor = descriptor;
    return {watched, std::move(peer)};
}

std::pair<Descriptor, std::unique_ptr<test::Peer>> World::accepted_pair(PeerBuffer buffer) {
    Listener& listener = listen();
    auto peer = connect(endpoint_of(listener), buffer);
    auto accepted = system().accept(listener.descriptor);
    EXPECT_TRUE(until([&] {
        if (!accepted) accepted = system().accept(listener.descriptor);
        return accepted.has_value();
    }));
    close_descriptor(listener);
    const Descriptor descriptor = accepted ? accepted->descriptor : Descriptor::none;
    return {descriptor, std::move(peer)};
}

Pair World::receiving_pair(PeerBuffer buffer) {
    Pair made = pair(buffer);
    const auto started = driver_->start_receive(made.stream);
    EXPECT_TRUE(started) << "start_receive: errno " << started.errno_value();
    return made;
}

// ── Letting it run ───────────────────────────────────────────────────────────────────────────

void World::advance() { poll_within(kShortWait); }

void World::advance_idly() {
    for (int turn = 0; turn < 3; ++turn) advance();
}

Duration World::poll_within(Duration most) {
    const Instant before = system().now();
    const auto polled = driver_->poll(before + most);
    EXPECT_TRUE(polled) << "poll: errno " << polled.errno_value();
    return system().now() - before;
}

void World::send_all(test::Peer& peer, std::string_view bytes) {
    EXPECT_TRUE(until([&] {
        bytes.remove_prefix(peer.send_now(bytes));
        return bytes.empty();
    }));
}

std::string World::read_all(test::Peer& peer, std::size_t count) {
    std::string bytes;
    EXPECT_TRUE(until([&] {
        bytes += peer.read_now();
        return bytes.size() >= count || peer.ended() != test::Ended::not_yet;
    }));
    return bytes;
}

}  // namespace berth::conformance
