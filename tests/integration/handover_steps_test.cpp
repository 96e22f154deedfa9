// SPDX-License-Identifier: MIT
//
// The steps of a handover: whatever the other side does or leaves out at any of them, the running
// generation serves on, and the starting one says why it did not start.
//
// Method: an engine, and its other generation by hand, message by message.

#include "integration/support_generations.hpp"
#include "integration/support_other_generation.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

// How far a successor comes before it dies.
enum class Step { connected, hello, offered, adopted, ready, committed };
constexpr int kSteps = 6;

class GivingStep : public Generations, public testing::WithParamInterface<int> {
protected:
    // Goes as far as `last`.
    static void succeed(OtherGeneration& young, const std::string& path, Step last) {
        young.find(path);
        if (last == Step::connected) return;
        young.say(handover::Hello{.process = 1});
        if (last == Step::hello) return;
        const auto offer = young.hear<handover::Offer>();
        if (last == Step::offered) return;
        const auto count = static_cast<std::uint32_t>(offer.sockets.size());
        young.say(handover::Adopted{.adopted = count, .returned = 0});
        if (last == Step::adopted) return;
        young.say(handover::Ready{});
        if (last == Step::ready) return;
        young.hear<handover::Commit>();
    }
    static void expect_service(const Generation& old) {
        RawPeer client = connect(old);
        EXPECT_EQ(said_back(client), "hello");
    }
};

TEST_P(GivingStep, LosesNothingWhenTheSuccessorDiesThere) {
    Generation old(options());
    ASSERT_TRUE(old.start(kAnyPort));
    RawPeer before = connect(old);
    EXPECT_EQ(said_back(before), "hello");
    {
        OtherGeneration young;
        succeed(young, path(), Step{GetParam()});
    }
    ASSERT_TRUE(eventually([&] {
        const auto handovers = old.handovers();
        return handovers.failed + handovers.rolled_back == 1;
    }));
    EXPECT_TRUE(is_in(old, EngineState::ready));
    EXPECT_EQ(said_back(before), "hello");
    expect_service(old);
}

TEST_P(GivingStep, ForgetsASuccessorThatStopsTalkingThere) {
    if (Step{GetParam()} >= Step::ready) return;  // the next word is the old one's
    Options options = this->options();
    options.handover_timeout = milliseconds{50};
    Generation old(options);
    ASSERT_TRUE(old.start(kAnyPort));
    OtherGeneration young;
    succeed(young, path(), Step{GetParam()});
    EXPECT_TRUE(eventually([&] { return old.handovers().failed == 1; }));
    EXPECT_TRUE(young.is_left());
    expect_service(old);
}

TEST_P(GivingStep, StopsInTimeIfItIsAskedToThere) {
    Generation old(options());
    ASSERT_TRUE(old.start(kAnyPort));
    OtherGeneration young;
    succeed(young, path(), Step{GetParam()});
    const auto report = old.engine().stop();
    ASSERT_TRUE(report);
    const bool had_committed = old.handovers().committed == 1;
    EXPECT_EQ(report->outcome, had_committed ? StopOutcome::handed_over : StopOutcome::clean)
        << report->to_string();
}

TEST_P(GivingStep, ForgetsASuccessorThatTalksNonsenseThere) {
    Generation old(options());
    ASSERT_TRUE(old.start(kAnyPort));
    OtherGeneration young;
    succeed(young, path(), Step{GetParam()});
    young.say(handover::Commit{});  // the old one's word
    EXPECT_TRUE(
        eventually([&] { return old.handovers().failed + old.handovers().rolled_back == 1; }));
    EXPECT_TRUE(is_in(old, EngineState::ready));
    expect_service(old);
}

INSTANTIATE_TEST_SUITE_P(At, GivingStep, testing::Range(0, kSteps));

class Giving : public GivingStep {};

TEST_F(Giving, RefusesAllButOneSuccessor) {
    Generation old(options());
    ASSERT_TRUE(old.start(kAnyPort));
    OtherGeneration first;
    succeed(first, path(), Step::offered);
    OtherGeneration second;
    second.find(path());
    EXPECT_EQ(second.hear<handover::Refused>().reason, "another generation is taking over");
    first.say(handover::Adopted{.adopted = 2, .returned = 0});
    first.say(handover::Ready{});
    first.hear<handover::Commit>();
}

TEST_F(Giving, OffersEverySocketWithItsAddress) {
    Generation old(options());
    ASSERT_TRUE(old.start({"tcp://127.0.0.1:0", unix_address()}));
    OtherGeneration young;
    young.find(path());
    young.say(handover::Hello{.process = 1});
    const auto offer = young.hear<handover::Offer>();
    ASSERT_EQ(offer.sockets.size(), 3U);  // two shards, and one of Unix
    ASSERT_EQ(young.attached().size(), 3U);
    EXPECT_EQ(offer.sockets[0].address, old.address(0));
    EXPECT_EQ(offer.sockets[0].asked, "tcp://127.0.0.1:0");
    EXPECT_EQ(offer.sockets[1].shard, 1U);
    EXPECT_EQ(offer.sockets[2].address, old.address(1));
    for (std::size_t i = 0; i < 3; ++i) {
        const auto inode = OtherGeneration::system().inode(young.attached()[i]);
        EXPECT_EQ(inode.value_or(0), offer.sockets[i].inode);
    }
}

TEST_F(Giving, ResumesAtOnceWhenAskedTo) {
    Generation old(options());
    ASSERT_TRUE(old.start(kAnyPort));
    OtherGeneration young;
    succeed(young, path(), Step::committed);
    RawPeer client = connect(old);  // in the queue: nobody accepts
    client.send("hello");
    young.say(handover::Rollback{});
    young.hear<handover::Resumed>();
    EXPECT_EQ(client.read(5), "hello");
}

TEST_F(Giving, SaysGoodbyeWithTheOutcome) {
    Generation old(without_probation());
    ASSERT_TRUE(old.start(kAnyPort));
    OtherGeneration young;
    succeed(young, path(), Step::committed);
    young.hear<handover::Final>();
    EXPECT_EQ(young.hear<handover::Bye>().outcome, "handed_over");
    EXPECT_TRUE(young.is_left());
}

// ── The starting one ─────────────────────────────────────────────────────────────────────────

class Taking : public Generations {
protected:
    // Starts a generation while this thread plays the old one.
    template <class Play>
    Result<void> start_against(Generation& young, const std::vector<std::string>& addresses,
                               Play&& play) {
        old_.wait_at(path());
        Result<void> started;
        std::thread starting([&] { started = young.start(addresses); });
        try {
            old_.welcome();
            old_.hear<handover::Hello>();
            play(old_);
        } catch (const std::exception& exception) {
            ADD_FAILURE() << exception.what();
            old_.leave();
        }
        starting.join();
        return started;
    }
    static void expect_failure(const Result<void>& started, const std::string& why) {
        ASSERT_FALSE(started);
        EXPECT_EQ(started.error().code(), ErrorCode::handover_failed);
        EXPECT_NE(started.error().detail().find(why), std::string::npos)
            << started.error().to_string();
    }

    OtherGeneration old_;
};

TEST_F(Taking, SaysWhyItWasRefused) {
    Generation young(options());
    expect_failure(start_against(young, kAnyPort,
                                 [](OtherGeneration& old) {
                                     old.say(handover::Refused{.reason = "it is stopping"});
                                 }),
                   "it is stopping");
    EXPECT_EQ(young.engine().state(), EngineState::failed);
    EXPECT_EQ(young.script.count("on_boot"), 0U);
}

TEST_F(Taking, FailsWhenTheOldOneDiesBeforeItOffers) {
    Generation young(options());
    expect_failure(start_against(young, kAnyPort, [](OtherGeneration& old) { old.leave(); }),
                   "is gone");
}

TEST_F(Taking, FailsWhenTheOldOneDiesBeforeItCommits) {
    Generation young(options());
    expect_failure(start_against(young, kAnyPort,
                                 [](OtherGeneration& old) {
                                     old.say(handover::Offer{});
                                     old.hear<handover::Adopted>();
                                     old.hear<handover::Ready>();
                                     old.leave();
                                 }),
                   "is gone");
    EXPECT_EQ(young.script.count("on_open"), 0U);
}

TEST_F(Taking, FailsWhenTheOldOneDoesNotAnswerInTime) {
    Options options = this->options();
    options.handover_timeout = milliseconds{30};
    Generation young(options);
    expect_failure(start_against(young, kAnyPort, [](OtherGeneration&) {}), "in time");
}

TEST_F(Taking, FailsWhenDescriptorsAreMissing) {
    Generation young(options());
    expect_failure(start_against(young, kAnyPort,
                                 [](OtherGeneration& old) {
                                     old.say(handover::Offer{
                                         .sockets = {{.address = "unix:@berth-test-nobody"}}});
                                 }),
                   "out of turn");
}

TEST_F(Taking, FailsWhenWhatComesIsNotWhatWasOffered) {
    Generation young(options());
    expect_failure(
        start_against(young, {"unix:@berth-test-nobody"},
                      [](OtherGeneration& old) {
                          const auto other = OtherGeneration::system().open_reserve();
                          old.say(
                              handover::Offer{.sockets = {{.address = "unix:@berth-test-nobody"}}},
                              {&*other, 1});
                          OtherGeneration::system().close(*other);
                      }),
        "not what it offered");
}

TEST_F(Taking, ServesOnWhenTheOldOneDiesAfterItsCommit) {
    Generation young(options());
    const auto started = start_against(young, kAnyPort, [](OtherGeneration& old) {
        old.say(handover::Offer{.generation = 4});
        old.hear<handover::Adopted>();
        old.hear<handover::Ready>();
        old.say(handover::Commit{});
        old.leave();
    });
    ASSERT_TRUE(started) << started.error().to_string();
    EXPECT_EQ(young.handovers().generation, 5U);
    RawPeer client = connect(young);
    EXPECT_EQ(said_back(client), "hello");
    client.close();
    EXPECT_TRUE(young.engine().stop()->ok());
}

TEST_F(Taking, CanBeStoppedWhileItWaitsForTheCommit) {
    Generation young(options());
    const auto started = start_against(young, kAnyPort, [&](OtherGeneration& old) {
        old.say(handover::Offer{});
        old.hear<handover::Adopted>();
        old.hear<handover::Ready>();
        young.engine().request_stop();
        EXPECT_TRUE(old.is_left());
    });
    ASSERT_TRUE(started) << started.error().to_string();
    EXPECT_TRUE(is_in(young, EngineState::stopped));
    EXPECT_EQ(young.script.count("on_shutdown"), 1U);
}

}  // namespace
}  // namespace berth::test
