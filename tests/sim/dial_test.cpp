// SPDX-License-Identifier: MIT
//
// Dials in simulated time: when the next address is tried, and when the whole is tried again.

#include "sim/stepped_engine.hpp"
#include "support/scripted_resolver.hpp"

#include <berth/event_loop.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace berth::simulation {
namespace {

using driver::Descriptor;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ScriptedResolver;

class Silence final : public Logger {
public:
    void log(LogLevel, std::string_view) override {}
};

// What a dial came to, and when.
class Witness final : public EventHandler {
public:
    Action on_open(Connection& peer) override {
        opened = peer.loop().now();
        peer_seen = peer.peer_endpoint();
        return Action::none;
    }
    void on_connect_failed(EventLoop& loop, ConnectionId, const Error& error) override {
        failed = loop.now();
        text = error.to_string();
    }
    bool is_told() const { return opened || failed; }

    std::optional<Instant> opened;
    std::optional<Instant> failed;
    Endpoint peer_seen;
    std::string text;
};

class DialInSimulatedTime : public testing::Test {
protected:
    static constexpr std::uint16_t kPort = 80;

    DialInSimulatedTime() {
        names_.at_question = [this](std::size_t) { asked_at_.push_back(kernel_.now()); };
        EXPECT_TRUE(client_.start());
    }
    ~DialInSimulatedTime() override {
        client_.engine().request_stop(kernel_.now());
        run([this] { return !client_.is_running(); });
        EXPECT_FALSE(client_.is_running());
        EXPECT_EQ(client_.process().descriptors_open(), 0U) << "nothing is left open";
    }

    // A listener there; a silent one drops what comes.
    void listen(const std::string& host, bool is_silent = false) {
        IpEndpoint ip = test::ip_of(host);
        ip.port = kPort;
        const Endpoint at(ip.family == 4 ? Scheme::tcp4 : Scheme::tcp6, ip);
        const Descriptor socket = *server_.open_socket(at);
        EXPECT_TRUE(server_.bind(socket, at));
        EXPECT_TRUE(server_.listen(socket, 16));
        if (is_silent) {
            EXPECT_TRUE(server_.drop_everything(socket));
        }
    }
    void dial(DialOptions how = {}) {
        begun_ = kernel_.now();
        EXPECT_TRUE(client_.engine().connect(
            *Destination::parse("tcp://server.test:" + std::to_string(kPort)), std::move(how)));
    }
    // Until `is_done`, or nobody has anything left to do.
    template <class Done>
    void run(Done&& is_done) {
        while (!is_done()) {
            const std::size_t actor = ready_actor();
            if (actor < client_.actors()) {
                client_.step(actor);
                continue;
            }
            const Instant next = std::min(client_.next(), kernel_.next_event());
            if (next.is_never()) return;
            kernel_.advance(next);
        }
    }
    void run_until_told() {
        run([this] { return witness_.is_told(); });
    }
    Instant now() const { return kernel_.now(); }
    Duration taken() const { return *witness_.opened - begun_; }

    ScriptedResolver names_;
    std::vector<Instant> asked_at_;
    Witness witness_;
    Instant begun_;

private:
    std::size_t ready_actor() const {
        for (std::size_t actor = 0; actor < client_.actors(); ++actor) {
            if (client_.is_ready(actor)) return actor;
        }
        return client_.actors();
    }

    sim::Kernel kernel_{1};
    sim::Process host_{kernel_};
    sim::SimSystem server_{host_};
    Silence silence_;
    SteppedEngine client_{
        kernel_,
        {.options = {.loops = 1, .resolver = &names_}, .bounds = {}, .addresses = {}},
        witness_,
        silence_};
};

TEST_F(DialInSimulatedTime, TheNextAddressIsTriedBesideASilentOneAfter250Ms) {
    listen("127.0.0.1", true);
    listen("127.0.0.2");
    names_.add("server.test", {"127.0.0.1", "127.0.0.2"});
    dial();
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_EQ(witness_.peer_seen.to_string(), "tcp://127.0.0.2:80");
    EXPECT_GE(taken(), milliseconds{250});
    EXPECT_LE(taken(), milliseconds{255});
}

TEST_F(DialInSimulatedTime, TheDelayIsAnOption) {
    for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) listen(host, true);
    listen("127.0.0.4");
    names_.add("server.test", {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"});
    dial({.attempt_delay = milliseconds{100}});
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_GE(taken(), milliseconds{300});
    EXPECT_LE(taken(), milliseconds{305});
}

TEST_F(DialInSimulatedTime, AFailureIsNotWaitedFor) {
    listen("127.0.0.2");
    names_.add("server.test", {"[::1]", "127.0.0.2"});
    dial();
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_LE(taken(), milliseconds{5});
}

TEST_F(DialInSimulatedTime, TheFamiliesTakeTurns) {
    for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) listen(host, true);
    listen("[::1]");
    names_.add("server.test", {"127.0.0.1", "127.0.0.2", "127.0.0.3", "[::1]"});
    dial();
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_LE(taken(), milliseconds{255}) << "IPv6 was second";
}

TEST_F(DialInSimulatedTime, TheDeadlineEndsAllOfThem) {
    listen("127.0.0.1", true);
    listen("127.0.0.2", true);
    names_.add("server.test", {"127.0.0.1", "127.0.0.2", "127.0.0.3"});
    dial({.deadline = now() + milliseconds{400}});
    run_until_told();
    ASSERT_TRUE(witness_.failed);
    EXPECT_GE(*witness_.failed - begun_, milliseconds{400});
    EXPECT_LE(*witness_.failed - begun_, milliseconds{405});
    for (const char* part :
         {"127.0.0.1:80: no answer", "127.0.0.2:80: no answer", "1 more not tried", "ETIMEDOUT"}) {
        EXPECT_NE(witness_.text.find(part), std::string::npos) << witness_.text;
    }
}

TEST_F(DialInSimulatedTime, RoundsFollowEachOtherAfterPausesByChance) {
    names_.add("server.test", {"127.0.0.1"});
    dial({.retry = {.attempts = 6, .first_delay = seconds{1}, .delay_max = seconds{4}, .seed = 7}});
    run_until_told();
    ASSERT_TRUE(witness_.failed);
    ASSERT_EQ(asked_at_.size(), 6U);
    Duration bound = seconds{1};
    std::vector<Duration> pauses;
    for (std::size_t i = 1; i < asked_at_.size(); ++i) {
        pauses.push_back(asked_at_[i] - asked_at_[i - 1]);
        EXPECT_LE(pauses.back(), bound + milliseconds{5});
        bound = std::min<Duration>(2 * bound, seconds{4});
    }
    EXPECT_GT(*std::ranges::max_element(pauses), milliseconds{100});
    EXPECT_NE(witness_.text.find("after 6 attempts"), std::string::npos) << witness_.text;
}

TEST_F(DialInSimulatedTime, APauseThatWouldReachTheDeadlineIsNotBegun) {
    names_.add("server.test", {"127.0.0.1"});
    dial({.deadline = now() + milliseconds{20},
          .retry = {
              .attempts = 9, .first_delay = seconds{60}, .delay_max = seconds{60}, .seed = 1}});
    run_until_told();
    ASSERT_TRUE(witness_.failed);
    EXPECT_LE(*witness_.failed - begun_, milliseconds{5});
    EXPECT_NE(witness_.text.find("ECONNREFUSED"), std::string::npos) << witness_.text;
}

}  // namespace
}  // namespace berth::simulation
