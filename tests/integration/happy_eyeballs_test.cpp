// SPDX-License-Identifier: MIT
//
// Several addresses of one name: the first that is connected wins, the others leave no trace, and
// if none is, each is named with its reason. RFC 8305.

#include "integration/support_dials.hpp"
#include "support/descriptors.hpp"

#include <string>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HappyEyeballs : public Dials {
protected:
    // At another address of loopback, on that port.
    static Endpoint at(const std::string& host, std::uint16_t port) {
        IpEndpoint ip = ip_of(host);
        ip.port = port;
        return {Scheme::tcp, ip};
    }
};

TEST_P(HappyEyeballs, ARefusedAddressIsPassedByAtOnce) {
    start_client();
    RawListener server(loopback_endpoint());
    names.add("server.test", {"[::1]", "127.0.0.1"});
    // Were it waited for, the test would run out of patience.
    dial(name("server.test", server.endpoint().port()), {.attempt_delay = seconds{10}});
    const RawPeer peer = accept(server);
    EXPECT_EQ(ended().id, opened());
    expect_told(1, 0);
}

TEST_P(HappyEyeballs, ASilentAddressIsPassedByAfterTheDelay) {
    start_client();
    const Unanswered silent;
    RawListener server(at("127.0.0.2", silent.endpoint().port()));
    names.add("server.test", {"127.0.0.1", "127.0.0.2"});
    const std::size_t before = open_descriptors();
    dial(name("server.test", silent.endpoint().port()), {.attempt_delay = milliseconds{20}});
    {
        const RawPeer peer = accept(server);
        const ConnectionId id = opened();
        Endpoint seen;
        on_loop([&](EventLoop& loop) { seen = loop.find(id)->peer_endpoint(); });
        EXPECT_EQ(seen, server.endpoint());
        EXPECT_EQ(engine().connection_count(), 1U);
        EXPECT_LE(open_descriptors(), before + 2) << "the loser is closed";
    }
    expect_told(1, 0);
}

TEST_P(HappyEyeballs, WhatTheServerSaysFirstIsNotLost) {
    std::string heard;
    Gate said;
    script.traffic = [&](Connection& peer) {
        heard += as_text(peer.next());
        if (heard.size() == 6) said.open();
        return Action::none;
    };
    start_client();
    const Unanswered silent;
    RawListener server(at("127.0.0.2", silent.endpoint().port()));
    names.add("server.test", {"127.0.0.1", "127.0.0.2"});
    dial(name("server.test", silent.endpoint().port()), {.attempt_delay = milliseconds{20}});
    RawPeer peer = accept(server);
    peer.send("220 hi");
    ASSERT_TRUE(said.pass());
    settle();
    EXPECT_EQ(heard, "220 hi");
}

TEST_P(HappyEyeballs, EachAddressThatFailedIsNamed) {
    start_client();
    const std::uint16_t port = free_port();
    names.add("server.test", {"[::1]", "127.0.0.1", "127.0.0.2"});
    dial(name("server.test", port));
    const std::string text = ended().text();
    EXPECT_EQ(ended().error->address(), "tcp://server.test:" + std::to_string(port));
    for (const char* host : {"tcp://[::1]:", "tcp://127.0.0.1:", "tcp://127.0.0.2:"}) {
        EXPECT_NE(text.find(host), std::string::npos) << text;
    }
    EXPECT_NE(text.find("ECONNREFUSED"), std::string::npos) << text;
    expect_told(0, 1);
}

TEST_P(HappyEyeballs, OneDeadlineIsForAll) {
    start_client();
    const Unanswered silent;
    names.add("server.test", {"127.0.0.1", "127.0.0.1"});
    dial(name("server.test", silent.endpoint().port()),
         {.deadline = engine().now() + milliseconds{30}});
    EXPECT_EQ(ended().error->errno_value(), ETIMEDOUT);
    EXPECT_NE(ended().text().find(silent.endpoint().to_string() + ": no answer"), std::string::npos)
        << ended().text();
    expect_told(0, 1);
}

TEST_P(HappyEyeballs, AStopEndsARace) {
    start_client();
    const Unanswered silent;
    names.add("server.test", {"127.0.0.1"});
    dial(name("server.test", silent.endpoint().port()));
    ASSERT_TRUE(names.was_asked());
    settle();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    EXPECT_EQ(ended().error->errno_value(), ECANCELED);
}

TEST_P(HappyEyeballs, WithoutDescriptorsItEndsWithThatReason) {
    std::string text;
    ErrorCode code{};
    script.connect_failed = [&](EventLoop&, ConnectionId, const Error& error) {
        code = error.code();
        text = error.to_string();
    };
    start_client();
    on_loop([&](EventLoop& loop) {
        const DescriptorFamine famine;
        ASSERT_TRUE(loop.connect(name("localhost", 1)));
        EXPECT_EQ(script.count("on_connect_failed"), 0U) << "never from inside the call";
    });
    EXPECT_TRUE(eventually([&] { return script.count("on_connect_failed") == 1; }));
    settle();
    EXPECT_EQ(code, ErrorCode::descriptor_limit) << text;
    EXPECT_EQ(engine().connection_count(), 0U);
}

BERTH_FOR_EACH_DRIVER(HappyEyeballs);

}  // namespace
}  // namespace berth::test
