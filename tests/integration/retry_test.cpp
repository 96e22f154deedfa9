// SPDX-License-Identifier: MIT
//
// DialRetry: again after a pause, only for what may pass, and never past the deadline.

#include "integration/support_dials.hpp"

#include <optional>

namespace berth::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class Retrying : public Dials {
protected:
    static DialRetry soon(unsigned attempts) {
        return {.attempts = attempts, .first_delay = milliseconds{2}, .delay_max = milliseconds{4}};
    }
};

TEST_P(Retrying, FindsAServerThatComesLater) {
    std::optional<RawListener> server;
    Gate is_there;
    const std::uint16_t port = free_port();
    names.add("server.test", {"127.0.0.1"});
    names.at_question = [&](std::size_t count) {
        if (count != 3) return;
        IpEndpoint here = ip_of("127.0.0.1");
        here.port = port;
        server.emplace(Endpoint(Scheme::tcp, here));
        is_there.open();
    };
    start_client();
    dial(name("server.test", port), {.retry = soon(10)});
    ASSERT_TRUE(is_there.pass());
    const RawPeer peer = accept(*server);
    EXPECT_EQ(ended().text(), "connected");
    EXPECT_EQ(names.asked(), 3U) << "a name is asked for anew each time";
    expect_told(1, 0);
}

TEST_P(Retrying, IsForAddressesToo) {
    start_client();
    const Endpoint nobody(Scheme::tcp,
                          IpEndpoint{.address = {127, 0, 0, 1}, .port = free_port(), .family = 4});
    dial(nobody, {.retry = soon(3)});
    EXPECT_EQ(ended().error->errno_value(), ECONNREFUSED);
    EXPECT_NE(ended().text().find("after 3 attempts"), std::string::npos) << ended().text();
    expect_told(0, 1);
}

TEST_P(Retrying, IsForUnixPathsToo) {
    start_client();
    const std::string path = unix_address("later");
    on_loop([&](EventLoop& loop) {
        ASSERT_TRUE(loop.connect(
            *Endpoint::parse(path),
            {.retry = {
                 .attempts = 1000, .first_delay = milliseconds{2}, .delay_max = milliseconds{4}}}));
    });
    RawListener server(*Endpoint::parse(path));
    const RawPeer peer = accept(server);
    opened();
}

TEST_P(Retrying, EndsWithTheLastAttempt) {
    start_client();
    names.add("server.test", ErrorCode::name_unavailable);
    dial(name("server.test", 1), {.retry = soon(4)});
    EXPECT_EQ(ended().code(), ErrorCode::name_unavailable);
    EXPECT_NE(ended().text().find("after 4 attempts"), std::string::npos) << ended().text();
    EXPECT_EQ(names.asked(), 4U);
    expect_told(0, 1);
}

TEST_P(Retrying, IsNotForWhatDoesNotPass) {
    start_client();
    dial(name("nobody.test", 1), {.retry = soon(4)});
    EXPECT_EQ(ended().code(), ErrorCode::name_not_found);
    EXPECT_EQ(names.asked(), 1U);
}

TEST_P(Retrying, GoesOnAfterNameServersWereAway) {
    start_client();
    RawListener server(loopback_endpoint());
    names.add("server.test", ErrorCode::name_unavailable);
    names.add("server.test", {"127.0.0.1"});
    dial(name("server.test", server.endpoint().port()), {.retry = soon(2)});
    const RawPeer peer = accept(server);
    EXPECT_EQ(ended().text(), "connected");
}

TEST_P(Retrying, DoesNotWaitPastTheDeadline) {
    start_client();
    names.add("server.test", ErrorCode::name_unavailable);
    // Seeded, so that the first pause is long.
    dial(name("server.test", 1),
         {.deadline = engine().now() + hours{1},
          .retry = {.attempts = 5, .first_delay = hours{100}, .delay_max = hours{100}, .seed = 1}});
    EXPECT_EQ(ended().code(), ErrorCode::name_unavailable) << "and not the deadline, in an hour";
    EXPECT_EQ(names.asked(), 1U);
}

TEST_P(Retrying, AStopEndsAPause) {
    start_client();
    names.add("server.test", ErrorCode::name_unavailable);
    dial(name("server.test", 1),
         {.retry = {.attempts = 5, .first_delay = hours{100}, .delay_max = hours{100}, .seed = 1}});
    ASSERT_TRUE(names.was_asked());
    settle();
    EXPECT_EQ(ended_count(), 0U);
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    EXPECT_EQ(ended_count(), 1U);
    EXPECT_EQ(names.asked(), 1U);
}

BERTH_FOR_EACH_DRIVER(Retrying);

}  // namespace
}  // namespace berth::test
