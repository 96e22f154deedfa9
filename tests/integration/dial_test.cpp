// SPDX-License-Identifier: MIT
//
// DiallingOut as a client needs it: without listeners, from any thread, with a context and from an
// address of choice; and sockets that were connected elsewhere.

#include "integration/support_engine.hpp"
#include "support/descriptors.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

// What completions said, in their order.
class Outcomes {
public:
    struct Outcome {
        ConnectionId id = {};
        std::optional<ErrorCode> error = {};
        std::size_t loop = 0;
    };

    DialCompletion note() {
        return [this](EventLoop& loop, Result<ConnectionId> dialled) {
            const std::scoped_lock lock(mutex_);
            Outcome outcome{.loop = loop.index()};
            if (dialled) {
                outcome.id = *dialled;
            } else {
                outcome.error = dialled.error().code();
            }
            outcomes_.push_back(outcome);
        };
    }
    std::vector<Outcome> all() const {
        const std::scoped_lock lock(mutex_);
        return outcomes_;
    }
    // The `index`th, waited for.
    Outcome at(std::size_t index = 0) const {
        EXPECT_TRUE(eventually([&] { return all().size() > index; }));
        return all().at(index);
    }

private:
    mutable std::mutex mutex_;
    std::vector<Outcome> outcomes_;
};

class DiallingOut : public AnEngine {
protected:
    void start_client() { start(std::vector<std::string>()); }
    Endpoint nobody_there() const {
        const RawListener gone(loopback_endpoint());
        return gone.endpoint();
    }

    RawListener server{loopback_endpoint()};
    Outcomes outcomes;
};

TEST_P(DiallingOut, AnEngineWithoutListenersStartsDialsAndStops) {
    script.traffic = echo;
    const auto client = make_engine(script);
    ASSERT_TRUE(client->start());
    EXPECT_TRUE(client->endpoints().empty());
    ASSERT_TRUE(client->connect(server.endpoint(), {.done = outcomes.note()}));
    RawPeer peer = accept(server);
    peer.send("ping");
    EXPECT_EQ(peer.read(4), "ping");
    EXPECT_FALSE(outcomes.at().error);
    const auto report = client->stop();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::clean) << report->to_string();
    EXPECT_TRUE(report->listeners.empty());
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(script.count("on_close"), 1U);
}

TEST_P(DiallingOut, FromAnyThreadTellsTheIdAfterTheHandlerHasOpenedIt) {
    start_client();
    std::atomic<std::size_t> opened_before = 0;
    ASSERT_TRUE(engine().connect(
        server.endpoint(),
        {.done = [&, note = outcomes.note()](EventLoop& loop,
                                             const Result<ConnectionId>& dialled) mutable {
            opened_before = script.count("on_open");
            note(loop, dialled);
        }}));
    const RawPeer peer = accept(server);
    EXPECT_EQ(outcomes.at().id, opened());
    EXPECT_EQ(opened_before, 1U);
}

TEST_P(DiallingOut, ARefusalIsToldToTheHandlerAndToTheCaller) {
    start_client();
    ASSERT_TRUE(engine().connect(nobody_there(), {.done = outcomes.note()}));
    EXPECT_EQ(outcomes.at().error, ErrorCode::io);
    EXPECT_EQ(script.count("on_connect_failed"), 1U);
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(DiallingOut, WhatCannotBeTriedIsToldToTheCallerAlone) {
    start_client();
    ASSERT_TRUE(engine().connect(
        server.endpoint(), {.local = *Endpoint::parse("unix:@here"), .done = outcomes.note()}));
    EXPECT_EQ(outcomes.at().error, ErrorCode::unsupported);
    EXPECT_EQ(script.count("on_connect_failed"), 0U);
}

TEST_P(DiallingOut, ALoopOfChoiceHoldsTheConnection) {
    options.loops = 3;
    start_client();
    std::vector<RawPeer> peers;
    for (const std::size_t loop : {2U, 0U, 2U}) {
        ASSERT_TRUE(engine().connect(server.endpoint(), {.done = outcomes.note(), .loop = loop}));
        peers.push_back(accept(server));
        const auto outcome = outcomes.at(peers.size() - 1);
        EXPECT_EQ(outcome.loop, loop);
        EXPECT_EQ(outcome.id.loop(), loop);
    }
    EXPECT_FALSE(engine().connect(server.endpoint(), {.loop = 3}));
}

TEST_P(DiallingOut, WithoutAChoiceTheLoopsTakeTurns) {
    options.loops = 2;
    start_client();
    std::vector<RawPeer> peers;
    std::array<int, 2> counts{};
    for (std::size_t i = 0; i < 4; ++i) {
        ASSERT_TRUE(engine().connect(server.endpoint(), {.done = outcomes.note()}));
        peers.push_back(accept(server));
        ++counts.at(outcomes.at(i).loop);
    }
    EXPECT_EQ(counts[0], 2);
    EXPECT_EQ(counts[1], 2);
}

TEST_P(DiallingOut, TheDeadlineEndsAnAttemptThatWaitsForALoop) {
    start_client();
    ASSERT_TRUE(engine().connect(server.endpoint(), {.deadline = engine().now() - milliseconds{1},
                                                     .done = outcomes.note()}));
    // Over loopback it may be connected before the timer is looked at: one of both, once.
    const auto outcome = outcomes.at();
    EXPECT_EQ(outcome.error.has_value(), script.count("on_connect_failed") == 1);
    EXPECT_EQ(script.count("on_open") + script.count("on_connect_failed"), 1U);
}

TEST_P(DiallingOut, TheContextIsThereFromOnOpenOn) {
    std::atomic<int> seen = 0;
    script.open = [&](Connection& peer) {
        if (const int* const number = peer.context<int>()) seen = *number;
        EXPECT_EQ(peer.context<std::string>(), nullptr);
        return Action::none;
    };
    start_client();
    ASSERT_TRUE(engine().connect(server.endpoint(), {.context = Context::make<int>(42)}));
    const RawPeer peer = accept(server);
    opened();
    EXPECT_TRUE(eventually([&] { return seen == 42; }));
}

TEST_P(DiallingOut, TheContextOfAnAttemptThatFailsIsDestroyed) {
    const auto witness = std::make_shared<int>(0);
    start_client();
    ASSERT_TRUE(engine().connect(nobody_there(),
                                 {.context = Context::make<std::shared_ptr<int>>(witness)}));
    ASSERT_TRUE(engine().connect(server.endpoint(),
                                 {.local = *Endpoint::parse("unix:@here"),
                                  .context = Context::make<std::shared_ptr<int>>(witness),
                                  .done = outcomes.note()}));
    outcomes.at();
    EXPECT_TRUE(eventually([&] { return witness.use_count() == 1; }));
}

TEST_P(DiallingOut, ALocalAddressIsWhereItComesFrom) {
    start_client();
    ASSERT_TRUE(
        engine().connect(server.endpoint(), {.local = *Endpoint::parse("tcp://127.0.0.7:0")}));
    const RawPeer peer = accept(server);
    Endpoint local;
    const ConnectionId id = opened();
    on_loop([&](EventLoop& loop) { local = loop.find(id)->local_endpoint(); });
    EXPECT_TRUE(local.to_string().starts_with("tcp://127.0.0.7:")) << local.to_string();
}

TEST_P(DiallingOut, ALocalAddressOfSomebodyElseIsRefusedWithItsName) {
    start_client();
    std::string text;
    on_loop([&](EventLoop& loop) {
        const auto dialled =
            loop.connect(server.endpoint(), {.local = *Endpoint::parse("tcp://192.0.2.1:0")});
        ASSERT_FALSE(dialled);
        EXPECT_EQ(dialled.error().code(), ErrorCode::address_not_local);
        text = dialled.error().to_string();
    });
    EXPECT_NE(text.find("192.0.2.1"), std::string::npos) << text;
}

TEST_P(DiallingOut, EveryDialThatAStopMeetsEndsOnce) {
    options.loops = 2;
    start_client();
    std::size_t taken = 0;
    Gate begun;
    std::jthread dialler([&] {
        for (int i = 0; i < 400; ++i) {
            if (engine().connect(server.endpoint(), {.done = outcomes.note()})) ++taken;
            if (i == 100) begun.open();
        }
    });
    ASSERT_TRUE(begun.pass());
    engine().request_stop(engine().now());
    dialler.join();
    ASSERT_TRUE(engine().wait());
    EXPECT_EQ(outcomes.all().size(), taken);
    EXPECT_EQ(script.count("on_open"), script.count("on_close"));
    EXPECT_FALSE(engine().connect(server.endpoint(), {.done = outcomes.note()}));
    EXPECT_EQ(outcomes.all().size(), taken);
}

// ── Sockets from outside ─────────────────────────────────────────────────────────────────────

class Adopting : public DiallingOut {
protected:
    Result<ConnectionId> adopt(int descriptor, Context context = {}) {
        Result<ConnectionId> adopted;
        on_loop([&](EventLoop& loop) {
            adopted = loop.adopt(descriptor, std::move(context));
            EXPECT_EQ(script.count("on_open"), opened_before_);
        });
        if (adopted) ++opened_before_;
        return adopted;
    }
    std::string refusal(int descriptor) {
        const auto adopted = adopt(descriptor);
        return adopted ? "none" : adopted.error().to_string();
    }
    std::pair<OwnedDescriptor, RawPeer> socket_pair(int type = SOCK_STREAM) const {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), 0);
        ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
        RawPeer peer{OwnedDescriptor(ends[1])};
        if (speaks_records()) peer.speak_records();
        return {OwnedDescriptor(ends[0]), std::move(peer)};
    }
    static int given_away(OwnedDescriptor descriptor) {
        const int number = ::dup(descriptor.number());
        return number;
    }

private:
    std::size_t opened_before_ = 0;
};

TEST_P(Adopting, AConnectedSocketIsServedLikeADialledOne) {
    script.traffic = echo;
    start_client();
    auto [ours, peer] = socket_pair();
    peer.send("early ");
    const auto id = adopt(given_away(std::move(ours)));
    ASSERT_TRUE(id) << id.error().to_string();
    EXPECT_EQ(opened(), *id);
    peer.send("bird");
    EXPECT_EQ(peer.read(10), "early bird");
    peer.end();
    EXPECT_EQ(closed(), CloseReason::peer_end);
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(Adopting, ATcpSocketHasItsPeerAndItsContext) {
    std::atomic<int> seen = 0;
    Endpoint from;
    script.open = [&](Connection& peer) {
        from = peer.peer_endpoint();
        seen = *peer.context<int>();
        return Action::none;
    };
    start_client();
    const RawPeer peer = RawPeer::connect(server.endpoint());
    const RawPeer accepted = accept(server);
    ASSERT_TRUE(adopt(::dup(peer.descriptor()), Context::make<int>(7)));
    opened();
    settle();
    EXPECT_EQ(from, server.endpoint());
    EXPECT_EQ(seen, 7);
}

TEST_P(Adopting, WhatNoConnectionCanBeIsRefusedWithARemedy) {
    start_client();
    const RawListener listener(loopback_endpoint());
    const OwnedDescriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::listen(listening.number(), 1), 0);
    const OwnedDescriptor fresh(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const OwnedDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const OwnedDescriptor lonely(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const OwnedDescriptor udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const OwnedDescriptor mute(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const OwnedDescriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
    const struct {
        int descriptor;
        const char* problem;
        const char* remedy;
    } rows[]{
        {listening.number(), "listens", "accept from it"},
        {fresh.number(), "is not connected", "connect it before"},
        {lonely.number(), "is not connected", "connect it before"},
        {file.number(), "is not a socket", "on a thread of yours"},
        {udp.number(), "is not connected", "or dial with connect()"},
        {mute.number(), "is not connected", "or dial with connect()"},
        {netlink.number(), "of a kind that no connection has", "adopt tcp, udp and Unix"},
        {-1, "is not open", "hand over one that is"},
    };
    for (const auto& [descriptor, problem, remedy] : rows) {
        const std::string text = refusal(descriptor);
        EXPECT_NE(text.find(problem), std::string::npos) << text;
        EXPECT_NE(text.find(remedy), std::string::npos) << text;
    }
    EXPECT_EQ(engine().connection_count(), 0U);
    EXPECT_GE(::fcntl(fresh.number(), F_GETFD), 0) << "it is still the caller's";
}

TEST_P(Adopting, ASocketOfThisLoopIsNotAdoptedTwice) {
    start_client();
    auto [ours, peer] = socket_pair();
    const int descriptor = given_away(std::move(ours));
    ASSERT_TRUE(adopt(descriptor));
    opened();
    EXPECT_NE(refusal(descriptor).find("already"), std::string::npos);
    peer.send("still there");
    EXPECT_TRUE(eventually([&] { return script.count("on_traffic") > 0; }));
}

TEST_P(Adopting, OneThatIsClosedBeforeItOpenedIsToldOnce) {
    start_client();
    auto [ours, peer] = socket_pair();
    on_loop([&, descriptor = given_away(std::move(ours))](EventLoop& loop) {
        ASSERT_TRUE(loop.adopt(descriptor));
        engine().request_stop(engine().now());
    });
    ASSERT_TRUE(engine().wait());
    EXPECT_EQ(script.count("on_open"), script.count("on_close"));
    EXPECT_EQ(script.count("on_open") + script.count("on_connect_failed"), 1U);
    EXPECT_EQ(peer.read_to_end(), "");
}

BERTH_FOR_EACH_DRIVER(DiallingOut);
BERTH_FOR_EACH_DRIVER(Adopting);

}  // namespace
}  // namespace berth::test
