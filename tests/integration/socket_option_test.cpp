// SPDX-License-Identifier: MIT
//
// What users may set on sockets, engine-wide and for one connection, and what they may ask.

#include "integration/support_engine.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SocketOptions : public AnEngine {
protected:
    // An option of the connection's own socket, by way of a duplicate.
    static int option(Connection& peer, int level, int name) {
        const auto copy = peer.duplicate();
        EXPECT_TRUE(copy);
        int value = -1;
        socklen_t size = sizeof value;
        EXPECT_EQ(::getsockopt(*copy, level, name, &value, &size), 0);
        ::close(*copy);
        return value;
    }
    void on_connection(const std::function<void(Connection&)>& look) {
        const ConnectionId id = opened();
        on_loop([&](EventLoop& loop) { look(*loop.find(id)); });
    }
    void expect_refused(const std::string& field, const std::function<void(Options&)>& spoil) {
        Options wrong;
        spoil(wrong);
        Engine other(script, wrong);
        const auto started = other.start(address());
        ASSERT_FALSE(started);
        EXPECT_EQ(started.error().code(), ErrorCode::invalid_option);
        const std::string text = started.error().to_string();
        EXPECT_NE(text.find("Options::" + field), std::string::npos) << text;
        EXPECT_NE(text.find("kernel"), std::string::npos) << "names a remedy: " << text;
    }
};

TEST_P(SocketOptions, OfTheEngineAreInheritedByWhoIsAccepted) {
    options.keepalive_idle = seconds{30};
    options.keepalive_interval = seconds{7};
    options.keepalive_count = 4;
    options.user_timeout = milliseconds{2'500};
    options.send_buffer = 50'000;
    options.receive_buffer = 60'000;
    start();
    const RawPeer peer = connect();
    on_connection([](Connection& each) {
        EXPECT_EQ(option(each, SOL_SOCKET, SO_KEEPALIVE), 1);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_KEEPIDLE), 30);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_KEEPINTVL), 7);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_KEEPCNT), 4);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_USER_TIMEOUT), 2'500);
        EXPECT_EQ(option(each, SOL_SOCKET, SO_SNDBUF), 100'000);
        EXPECT_EQ(option(each, SOL_SOCKET, SO_RCVBUF), 120'000);
        EXPECT_NE(option(each, IPPROTO_TCP, TCP_NODELAY), 0);
    });
}

TEST_P(SocketOptions, OfTheEngineAreSetOnOutgoingConnections) {
    options.keepalive_idle = seconds{30};
    options.user_timeout = seconds{2};
    start();
    RawListener server(loopback_endpoint());
    on_loop([&](EventLoop& loop) { EXPECT_TRUE(loop.connect(server.endpoint())); });
    const RawPeer accepted = accept(server);
    on_connection([](Connection& each) {
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_KEEPIDLE), 30);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_USER_TIMEOUT), 2'000);
    });
}

TEST_P(SocketOptions, AreLeftToTheKernelByDefault) {
    start();
    const RawPeer peer = connect();
    on_connection([](Connection& each) {
        EXPECT_EQ(option(each, SOL_SOCKET, SO_KEEPALIVE), 0);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    });
}

TEST_P(SocketOptions, AreSetForOneConnection) {
    start();
    const RawPeer peer = connect();
    on_connection([](Connection& each) {
        EXPECT_TRUE(each.set_no_delay(false));
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_NODELAY), 0);
        EXPECT_TRUE(each.set_keepalive(seconds{11}, seconds{3}, 5));
        EXPECT_EQ(option(each, SOL_SOCKET, SO_KEEPALIVE), 1);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_KEEPIDLE), 11);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_KEEPINTVL), 3);
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_KEEPCNT), 5);
        EXPECT_TRUE(each.set_keepalive(Duration::zero()));
        EXPECT_EQ(option(each, SOL_SOCKET, SO_KEEPALIVE), 0);
        EXPECT_TRUE(each.set_user_timeout(seconds{9}));
        EXPECT_EQ(option(each, IPPROTO_TCP, TCP_USER_TIMEOUT), 9'000);
        EXPECT_TRUE(each.set_send_buffer(40'000));
        EXPECT_EQ(option(each, SOL_SOCKET, SO_SNDBUF), 80'000);
        EXPECT_TRUE(each.set_receive_buffer(40'000));
        EXPECT_EQ(option(each, SOL_SOCKET, SO_RCVBUF), 80'000);
    });
}

TEST_P(SocketOptions, BadValuesOfOneConnectionAreRefused) {
    start();
    const RawPeer peer = connect();
    on_connection([](Connection& each) {
        for (const auto& refused :
             {each.set_keepalive(milliseconds{1'500}), each.set_keepalive(seconds{-1}),
              each.set_keepalive(seconds{40'000}), each.set_keepalive(seconds{1}, {}, 128),
              each.set_keepalive({}, seconds{1}), each.set_user_timeout(milliseconds{-1}),
              each.set_send_buffer(std::size_t{2} << 30U)}) {
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().code(), ErrorCode::invalid_option);
        }
        EXPECT_EQ(option(each, SOL_SOCKET, SO_KEEPALIVE), 0) << "nothing was set";
    });
}

TEST_P(SocketOptions, BadValuesOfTheEngineAreRefusedByName) {
    expect_refused("keepalive_idle", [](Options& o) { o.keepalive_idle = milliseconds{10}; });
    expect_refused("keepalive_interval", [](Options& o) {
        o.keepalive_idle = seconds{1};
        o.keepalive_interval = seconds{32'768};
    });
    expect_refused("user_timeout", [](Options& o) { o.user_timeout = std::chrono::hours{600}; });
    expect_refused("receive_buffer", [](Options& o) { o.receive_buffer = SIZE_MAX; });
    expect_refused("send_buffer", [](Options& o) { o.send_buffer = SIZE_MAX; });
}

TEST_P(SocketOptions, OfTcpAreUnsupportedOnUnixSockets) {
    options.keepalive_idle = seconds{30};  // and no reason not to start
    options.user_timeout = seconds{2};
    start(unix_address("s"));
    const RawPeer peer = connect();
    on_connection([](Connection& each) {
        for (const auto& refused : {each.set_no_delay(true), each.set_keepalive(seconds{1}),
                                    each.set_user_timeout(seconds{1})}) {
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().code(), ErrorCode::unsupported);
        }
        EXPECT_TRUE(each.set_send_buffer(40'000));
    });
}

TEST_P(SocketOptions, PeerOfAUnixSocketIsKnown) {
    start(unix_address("s"));
    const RawPeer peer = connect();
    on_connection([](Connection& each) {
        const auto who = each.peer_credentials();
        ASSERT_TRUE(who);
        EXPECT_EQ(who->pid, ::getpid());
        EXPECT_EQ(who->uid, ::geteuid());
        EXPECT_EQ(who->gid, ::getegid());
    });
}

TEST_P(SocketOptions, PeerOfATcpConnectionIsNot) {
    start();
    const RawPeer peer = connect();
    on_connection([](Connection& each) {
        const auto who = each.peer_credentials();
        ASSERT_FALSE(who);
        EXPECT_EQ(who.error().code(), ErrorCode::unsupported);
    });
}

TEST_P(SocketOptions, DuplicateBelongsToWhoAskedForIt) {
    start();
    RawPeer peer = connect();
    int copy = -1;
    on_connection([&](Connection& each) {
        const auto made = each.duplicate();
        ASSERT_TRUE(made);
        copy = *made;
        each.close(CloseMode::now);
    });
    closed();
    ASSERT_EQ(::write(copy, "still here", 10), 10);
    EXPECT_EQ(::close(copy), 0);
    if (speaks_records()) return;  // what was written is no record
    EXPECT_EQ(peer.read_to_end(), "still here");
}

TEST_P(SocketOptions, ClosedConnectionSaysThatItIsClosed) {
    ErrorCode code = ErrorCode::internal;
    script.close = [&](Connection& peer, CloseReason) {
        code = peer.set_no_delay(true).error().code();
        EXPECT_FALSE(peer.duplicate());
        EXPECT_FALSE(peer.peer_credentials());
    };
    start();
    connect().close();
    closed();
    settle();
    EXPECT_EQ(code, ErrorCode::not_running);
}

BERTH_FOR_EACH_DRIVER(SocketOptions);

}  // namespace
}  // namespace berth::test
