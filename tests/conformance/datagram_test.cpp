// SPDX-License-Identifier: MIT
//
// Datagrams: each whole, in batches, errors that end nothing, two ways to stop, and sending.

#include "conformance/conformance.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace berth::conformance {
namespace {

using driver::DatagramSocket;
using driver::OutgoingDatagram;
using driver::Sent;

class Datagrams : public Conformance {
protected:
    // Bound, counting drops, and armed.
    DatagramSocket& receiving_socket() {
        DatagramSocket& socket = world().datagram_socket();
        EXPECT_TRUE(driver().start_receive_datagrams(socket));
        return socket;
    }
    Endpoint endpoint_of(const DatagramSocket& socket) {
        return *world().system().local_endpoint(socket.descriptor, Scheme::udp);
    }
    ::testing::AssertionResult has_received(const DatagramSocket& socket,
                                            std::vector<std::string> wanted) {
        const auto all = [&] { return sink().datagrams_of(socket).size() >= wanted.size(); };
        if (auto came = world().until(all); !came) return came;
        if (sink().datagrams_of(socket) == wanted) return ::testing::AssertionSuccess();
        return ::testing::AssertionFailure() << sink().to_string();
    }
    // All of them, however many each call takes.
    void send(DatagramSocket& socket, const std::vector<OutgoingDatagram>& datagrams) {
        driver::OutgoingDatagrams left = datagrams;
        while (!left.empty()) {
            const Sent sent = driver().send_datagrams(socket, left);
            ASSERT_FALSE(sent.is_failed()) << sent.errno_value();
            ASSERT_GT(sent.count(), 0U);
            left = left.subspan(sent.count());
        }
    }
    std::string read(test::DatagramPeer& peer) {
        std::optional<test::Letter> letter;
        EXPECT_TRUE(world().until([&] {
            letter = peer.read_now();
            return letter.has_value();
        }));
        return letter ? letter->bytes : std::string("nothing");
    }
    std::size_t most_in_a_poll(const DatagramSocket& socket) {
        std::vector<std::size_t> counts(sink().polls() + 1);
        for (const Completion& each : sink().of(socket)) ++counts[each.poll];
        return std::ranges::max(counts);
    }
};

INSTANTIATE_TEST_SUITE_P(World, Datagrams, ::testing::ValuesIn(worlds_with_datagrams()),
                         name_of_world);

// 16
TEST_P(Datagrams, ComeWholeAndInOrder) {
    DatagramSocket& socket = receiving_socket();
    const auto peer = world().datagram_peer();
    const Endpoint to = endpoint_of(socket);
    for (const char* text : {"one", "", "three"}) {
        peer->send_to(to, text);
        const std::size_t before = sink().datagrams_of(socket).size();
        ASSERT_TRUE(
            world().until([&] { return sink().datagrams_of(socket).size() == before + 1; }));
    }
    EXPECT_TRUE(has_received(socket, {"one", "", "three"}));
    EXPECT_EQ(sink().first(socket, Kind::datagram).peer, peer->endpoint().ip());
}

// 16
TEST_P(Datagrams, ComeThatWereThereBefore) {
    DatagramSocket& socket = world().datagram_socket();
    world().datagram_peer()->send_to(endpoint_of(socket), "early");
    ASSERT_TRUE(driver().start_receive_datagrams(socket));
    EXPECT_TRUE(has_received(socket, {"early"}));
}

// 16: one batch in a poll
TEST_P(Datagrams, ComeInBatches) {
    open_with({.datagram_batch = 4});
    DatagramSocket& socket = receiving_socket();
    const auto peer = world().datagram_peer();
    const Endpoint to = endpoint_of(socket);
    for (int number = 0; number < 10; ++number) peer->send_to(to, std::to_string(number));
    ASSERT_TRUE(world().until([&] { return sink().datagrams_of(socket).size() == 10; }));
    EXPECT_LE(most_in_a_poll(socket), 4U);
    if (is_prompt()) {
        EXPECT_EQ(most_in_a_poll(socket), 4U);
    }
}

// 16
TEST_P(Datagrams, AreCutAtTheBoundAndSaySo) {
    open_with({.datagram_bytes = 10});
    DatagramSocket& socket = receiving_socket();
    const auto peer = world().datagram_peer();
    peer->send_to(endpoint_of(socket), pattern(11));
    ASSERT_TRUE(has_received(socket, {pattern(10)}));
    EXPECT_TRUE(sink().first(socket, Kind::datagram).is_truncated);
}

// 16
TEST_P(Datagrams, ThatFitExactlyAreNotCut) {
    open_with({.datagram_bytes = 10});
    DatagramSocket& socket = receiving_socket();
    world().datagram_peer()->send_to(endpoint_of(socket), pattern(10));
    ASSERT_TRUE(has_received(socket, {pattern(10)}));
    EXPECT_FALSE(sink().first(socket, Kind::datagram).is_truncated);
}

// 16: the memory is the driver's
TEST_P(Datagrams, TakeNoMemoryForAFurtherSocket) {
    DatagramSocket& first = receiving_socket();
    DatagramSocket& second = receiving_socket();  // the checked driver counts allocations
    const auto peer = world().datagram_peer();
    peer->send_to(endpoint_of(first), "first");
    peer->send_to(endpoint_of(second), "second");
    EXPECT_TRUE(has_received(first, {"first"}));
    EXPECT_TRUE(has_received(second, {"second"}));
}

// 16
TEST_P(Datagrams, TellWhomTheyWereSentTo) {
    DatagramSocket& socket = world().datagram_socket();
    ASSERT_TRUE(world().system().set(socket.descriptor, driver::SocketOption::tell_destination, 1));
    ASSERT_TRUE(driver().start_receive_datagrams(socket));
    world().datagram_peer()->send_to(endpoint_of(socket), "to whom?");
    ASSERT_TRUE(has_received(socket, {"to whom?"}));
    const IpEndpoint local = sink().first(socket, Kind::datagram).local;
    EXPECT_EQ(local.family, 4);
    EXPECT_EQ(local.address, endpoint_of(socket).ip().address);
}

// 16
TEST_P(Datagrams, CountWhatTheKernelDropped) {
    DatagramSocket& socket = world().datagram_socket();
    ASSERT_TRUE(world().system().set(socket.descriptor, driver::SocketOption::count_drops, 1));
    ASSERT_TRUE(world().system().set(socket.descriptor, driver::SocketOption::receive_buffer, 1));
    const auto peer = world().datagram_peer();
    const Endpoint to = endpoint_of(socket);
    for (int number = 0; number < 100; ++number) peer->send_to(to, pattern(500));
    ASSERT_TRUE(driver().start_receive_datagrams(socket));
    ASSERT_TRUE(world().until([&] {
        peer->send_to(to, "and now?");  // what comes later tells of what was lost
        return socket.counts.dropped > 0;
    }));
}

// 16: what left as one comes as one by loopback, in every world that knows of it
TEST_P(Datagrams, ThatCameAsOneAreTakenApart) {
    open_with({.datagram_bytes = 400});
    DatagramSocket& socket = world().datagram_socket();
    static_cast<void>(world().system().set(socket.descriptor, driver::SocketOption::merge, 1));
    ASSERT_TRUE(driver().start_receive_datagrams(socket));
    DatagramSocket& sender = world().datagram_socket();
    static_cast<void>(world().system().set(sender.descriptor, driver::SocketOption::merge, 1));
    sender.joins_sends = true;
    ASSERT_TRUE(driver().start_receive_datagrams(sender));
    const IpEndpoint to = endpoint_of(socket).ip();
    const std::vector<std::string> texts{std::string(500, 'a'), std::string(500, 'b'), "c"};
    std::vector<OutgoingDatagram> datagrams;
    for (const std::string& text : texts)
        datagrams.push_back({.bytes = as_bytes(text), .to = to, .from = {}});
    send(sender, datagrams);
    const auto all = [&] { return sink().datagrams_of(socket).size() == 3; };
    ASSERT_TRUE(world().until(all));
    std::vector<std::string> came = sink().datagrams_of(socket);
    if (!is_prompt()) std::ranges::sort(came);
    EXPECT_EQ(came, (std::vector<std::string>{std::string(400, 'a'), std::string(400, 'b'), "c"}));
    const std::uint32_t as_one = socket.merges && sender.joined_bytes > 0 ? 3 : 0;
    EXPECT_EQ(socket.counts.gro_received, as_one);
}

// 17
TEST_P(Datagrams, AreStillReceivedAfterAnError) {
    DatagramSocket& socket = world().datagram_socket();
    const auto gone = world().datagram_peer();
    ASSERT_TRUE(world().system().connect(socket.descriptor, gone->endpoint()));
    ASSERT_TRUE(driver().start_receive_datagrams(socket));
    const std::string text = "anybody?";
    gone->close();
    send(socket, {{.bytes = as_bytes(text), .to = {}, .from = {}}});
    ASSERT_TRUE(comes(Kind::datagram_error, socket));
    EXPECT_EQ(sink().first(socket, Kind::datagram_error).errno_value, ECONNREFUSED);
    EXPECT_FALSE(sink().has(socket, Kind::datagrams_end));
}

// 18
TEST_P(Datagrams, EndOnceWhenStopped) {
    DatagramSocket& socket = receiving_socket();
    const Endpoint to = endpoint_of(socket);
    driver().stop_receive_datagrams(socket);
    ASSERT_TRUE(comes(Kind::datagrams_end, socket));
    world().datagram_peer()->send_to(to, "too late");
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(socket), std::vector{Kind::datagrams_end});
}

// 18
TEST_P(Datagrams, StartAgainAfterTheEnd) {
    DatagramSocket& socket = receiving_socket();
    driver().stop_receive_datagrams(socket);
    ASSERT_TRUE(comes(Kind::datagrams_end, socket));
    world().datagram_peer()->send_to(endpoint_of(socket), "kept");
    ASSERT_TRUE(driver().start_receive_datagrams(socket));
    EXPECT_TRUE(has_received(socket, {"kept"}));
}

// 18
TEST_P(Datagrams, AreDeliveredBeforeAFinishEnds) {
    open_with({.datagram_batch = 2});
    DatagramSocket& socket = receiving_socket();
    const auto peer = world().datagram_peer();
    const Endpoint to = endpoint_of(socket);
    for (int number = 0; number < 7; ++number) peer->send_to(to, "late");
    driver().finish_receive_datagrams(socket);
    ASSERT_TRUE(comes(Kind::datagrams_end, socket));
    if (is_prompt()) {
        EXPECT_EQ(sink().count_of(socket, Kind::datagram), 7U);
    }
    EXPECT_EQ(sink().of(socket).back().kind, Kind::datagrams_end);
}

// 18
TEST_P(Datagrams, StopFromInsideABatch) {
    DatagramSocket& socket = receiving_socket();
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind == Kind::datagram) driver().finish_receive_datagrams(socket);
    };
    world().datagram_peer()->send_to(endpoint_of(socket), "the last");
    ASSERT_TRUE(comes(Kind::datagrams_end, socket));
    EXPECT_TRUE(has_received(socket, {"the last"}));
}

// 18
TEST_P(Datagrams, AStopOvertakesAFinish) {
    DatagramSocket& socket = receiving_socket();
    driver().finish_receive_datagrams(socket);
    driver().stop_receive_datagrams(socket);
    ASSERT_TRUE(comes(Kind::datagrams_end, socket));
    world().advance_idly();
    EXPECT_EQ(sink().count_of(socket, Kind::datagrams_end), 1U);
}

// 19
TEST_P(Datagrams, LeaveWholeAndTogether) {
    DatagramSocket& socket = receiving_socket();
    const auto peer = world().datagram_peer();
    const IpEndpoint to = peer->endpoint().ip();
    const std::string one = "one";
    const std::string three = pattern(3000);
    send(socket, {{.bytes = as_bytes(one), .to = to, .from = {}},
                  {.bytes = {}, .to = to, .from = {}},
                  {.bytes = as_bytes(three), .to = to, .from = {}}});
    std::vector<std::string> read_there{read(*peer), read(*peer), read(*peer)};
    std::vector<std::string> sent{one, "", three};
    if (!is_prompt()) std::ranges::sort(read_there);  // they may overtake each other
    if (!is_prompt()) std::ranges::sort(sent);
    EXPECT_EQ(read_there, sent);
}

// 19: no matter how many of them the kernel is given as one
TEST_P(Datagrams, EqualOnesLeaveWholeAndInOrder) {
    DatagramSocket& socket = world().datagram_socket();
    socket.joins_sends = true;
    ASSERT_TRUE(driver().start_receive_datagrams(socket));
    const auto one = world().datagram_peer();
    const auto other = world().datagram_peer();
    std::vector<std::string> texts;
    for (char letter = 'a'; letter < 'k'; ++letter) texts.push_back(std::string(300, letter));
    std::vector<OutgoingDatagram> datagrams;
    for (const std::string& text : texts) {
        const auto& peer = text < "f" ? one : other;
        datagrams.push_back({.bytes = as_bytes(text), .to = peer->endpoint().ip(), .from = {}});
    }
    send(socket, datagrams);
    std::vector<std::string> came;
    for (const std::string& text : texts) came.push_back(read(text < "f" ? *one : *other));
    if (!is_prompt()) std::ranges::sort(came);
    EXPECT_EQ(came, texts);
    EXPECT_EQ(socket.counts.gso_sent, socket.joined_bytes > 0 ? 10U : 0U);
}

// 19: from a local address that it names
TEST_P(Datagrams, LeaveFromTheAddressGiven) {
    DatagramSocket& socket = receiving_socket();
    const auto peer = world().datagram_peer();
    const std::string text = "it is me";
    IpEndpoint from = endpoint_of(socket).ip();
    from.port = 0;
    send(socket, {{.bytes = as_bytes(text), .to = peer->endpoint().ip(), .from = from}});
    EXPECT_EQ(read(*peer), text);
}

// 19
TEST_P(Datagrams, AreRefusedWithTheErrorOfTheFirst) {
    DatagramSocket& socket = receiving_socket();
    const auto peer = world().datagram_peer();
    const std::string long_one(66'000, 'x');
    const std::vector<OutgoingDatagram> datagrams{
        {.bytes = as_bytes(long_one), .to = peer->endpoint().ip(), .from = {}}};
    const Sent sent = driver().send_datagrams(socket, datagrams);
    ASSERT_TRUE(sent.is_failed());
    EXPECT_EQ(sent.errno_value(), EMSGSIZE);
}

}  // namespace
}  // namespace berth::conformance
