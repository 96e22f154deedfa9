// SPDX-License-Identifier: MIT
//
// Descriptors that travel with bytes, over Unix streams and packets: in order, owned by one, and
// never let in unless they were asked for.

#include "integration/support_messages.hpp"
#include "support/descriptors.hpp"

#include <fcntl.h>

#include <array>
#include <atomic>
#include <string>
#include <vector>

namespace berth::test {
namespace {

// Both kinds of connection: over each, the same.
constexpr std::array kSchemes{"unix", "unixpacket"};

class PassingDescriptors : public SpeakingMessages {
protected:
    PassingDescriptors() { options.descriptors_max = 4; }

    void serve(const std::string& scheme = "unixpacket") { start(address_of(scheme)); }
    RawMessages peer() { return RawMessages::connect(engine().endpoints()[0]); }
    // Writes into every descriptor that comes, and notes how many there were.
    void write_into_each(std::string_view text) {
        script.traffic = [this, text](Connection& peer) {
            const auto came = peer.take_descriptors();
            for (const FileDescriptor& each : came) write_into(each.number(), text);
            note(std::string(as_text(peer.next())) + " with " + std::to_string(came.size()));
            return Action::none;
        };
    }
    static bool is_ended(int pipe) {
        return eventually([&] {
            std::array<char, 1> room{};
            return ::read(pipe, room.data(), 1) == 0;
        });
    }
};

TEST_P(PassingDescriptors, AreReceivedOverAStream) {
    write_into_each("hello");
    serve("unix");
    RawMessages peer = this->peer();
    auto [reader, writer] = raw_pipe();
    peer.send("take it", {writer.number()});
    writer.close();
    ASSERT_TRUE(has_heard(1));
    EXPECT_EQ(heard().front(), "take it with 1");
    EXPECT_EQ(text_in(reader.number()), "hello");
    EXPECT_TRUE(is_ended(reader.number())) << "whoever took it has closed it";
}

TEST_P(PassingDescriptors, AreReceivedWithTheirPacket) {
    write_into_each("hello");
    serve();
    RawMessages peer = this->peer();
    auto [reader, writer] = raw_pipe();
    peer.send("none");
    peer.send("two", {writer.number(), writer.number()});
    peer.send("none again");
    ASSERT_TRUE(has_heard(3));
    EXPECT_EQ(heard(),
              (std::vector<std::string>{"none with 0", "two with 2", "none again with 0"}));
    EXPECT_EQ(text_in(reader.number()), "hellohello");
}

TEST_P(PassingDescriptors, AreSentOverBoth) {
    for (const char* const scheme : kSchemes) {
        auto [reader, writer] = raw_pipe();
        script.open = [&, number = ::dup(writer.number())](Connection& peer) {
            FileDescriptor mine(number);
            const auto sent = peer.write_with("here", std::move(mine));
            EXPECT_TRUE(sent) << sent.error().to_string();
            EXPECT_FALSE(mine.is_open()) << "it is the connection's";
            return Action::none;
        };
        serve(scheme);
        RawMessages peer = this->peer();
        RawMessage got = peer.read();
        EXPECT_EQ(got.bytes, "here");
        ASSERT_EQ(got.attached.size(), 1U) << scheme;
        write_into(got.attached[0].number(), "through it");
        EXPECT_EQ(text_in(reader.number()), "through it");
        settle();
        peer.close();
        EXPECT_EQ(stop().outcome, StopOutcome::clean);
    }
}

// Also those that have to wait for room.
TEST_P(PassingDescriptors, KeepTheirOrderBehindASlowPeer) {
    constexpr int kCount = 60;
    options.output_max = 4U << 20U;
    for (const char* const scheme : kSchemes) {
        script.open = [](Connection& peer) {
            for (int number = 0; number < kCount; ++number) {
                FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
                peer.write(pattern(9000));
                EXPECT_TRUE(peer.write_with(std::string(100, 'x'), std::move(file)));
            }
            EXPECT_GT(peer.unsent(), 0U);
            return Action::none;
        };
        serve(scheme);
        RawMessages peer = this->peer();
        std::string got;
        std::vector<std::size_t> came_at;
        while (got.size() < kCount * 9100U) {
            RawMessage some = peer.read();
            ASSERT_FALSE(some.bytes.empty());
            // No later than their first byte: that is the last one before them, at the latest.
            for (std::size_t each = 0; each < some.attached.size(); ++each) {
                came_at.push_back(got.size() + some.bytes.size());
            }
            got += some.bytes;
        }
        ASSERT_EQ(came_at.size(), static_cast<std::size_t>(kCount)) << scheme;
        for (std::size_t number = 0; number < came_at.size(); ++number) {
            EXPECT_GT(came_at[number], number * 9100 + 9000) << "not before their bytes";
            EXPECT_LE(came_at[number], (number + 1) * 9100) << "and not with later ones";
        }
        settle();
        peer.close();
        EXPECT_EQ(stop().outcome, StopOutcome::clean);
    }
    EXPECT_EQ(engine().snapshot().descriptors.sent, 2U * kCount);
}

TEST_P(PassingDescriptors, ThoseThatNobodyTakesAreClosed) {
    listen_to();
    serve();
    RawMessages peer = this->peer();
    auto [reader, writer] = raw_pipe();
    peer.send("not taken", {writer.number()});
    writer.close();
    ASSERT_TRUE(has_heard(1));
    EXPECT_TRUE(is_ended(reader.number()));
    EXPECT_EQ(engine().snapshot().descriptors.dropped, 1U);
}

TEST_P(PassingDescriptors, OfAStreamWaitWhileSomeInputIsUnread) {
    script.traffic = [this](Connection& peer) {
        if (peer.unread() < 8) return Action::none;
        note(std::to_string(peer.take_descriptors().size()));
        peer.discard();
        return Action::none;
    };
    serve("unix");
    RawMessages peer = this->peer();
    auto [reader, writer] = raw_pipe();
    peer.send("half", {writer.number()});
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    peer.send("half");
    ASSERT_TRUE(has_heard(1));
    EXPECT_EQ(heard().front(), "1");
}

TEST_P(PassingDescriptors, ThoseAboveTheBoundAreLostAndToldOf) {
    std::atomic<bool> has_lost = false;
    script.traffic = [&](Connection& peer) {
        has_lost = peer.has_lost_descriptors();
        EXPECT_FALSE(peer.has_lost_descriptors()) << "since it was asked last";
        note(std::to_string(peer.take_descriptors().size()));
        peer.discard();
        return Action::none;
    };
    serve();
    RawMessages peer = this->peer();
    auto [reader, writer] = raw_pipe();
    peer.send("five", std::vector<int>(5, writer.number()));
    ASSERT_TRUE(has_heard(1));
    settle();
    EXPECT_TRUE(has_lost);
    EXPECT_EQ(heard().front(), "4");
    EXPECT_EQ(engine().snapshot().descriptors.lost, 1U);
    peer.send("four", std::vector<int>(4, writer.number()));
    ASSERT_TRUE(has_heard(2));
    settle();
    EXPECT_FALSE(has_lost);
}

TEST_P(PassingDescriptors, WhereThisProcessMayHaveNoMoreTheyAreLost) {
    std::atomic<bool> has_lost = false;
    script.traffic = [&](Connection& peer) {
        has_lost = peer.has_lost_descriptors();
        EXPECT_TRUE(peer.take_descriptors().empty());
        note(as_text(peer.next()));
        return Action::none;
    };
    serve();
    RawMessages peer = this->peer();
    auto [reader, writer] = raw_pipe();
    opened();
    {
        const DescriptorFamine famine;
        peer.send("no room", {writer.number()});
        ASSERT_TRUE(has_heard(1));
    }
    settle();
    EXPECT_TRUE(has_lost);
    EXPECT_EQ(engine().snapshot().descriptors.lost, 1U);
}

// Those that waited for room, those that wait to be taken, and those that nobody ever took.
TEST_P(PassingDescriptors, NoneIsLeftOpen) {
    serve();
    stop();
    const std::size_t before = open_descriptors();  // a stopped engine may keep some of its own
    auto [reader, writer] = raw_pipe();
    script.open = [&](Connection& peer) {
        for (int count = 0; count < 60; ++count) {
            peer.write(pattern(9000));
            FileDescriptor mine(::fcntl(writer.number(), F_DUPFD_CLOEXEC, 0));
            EXPECT_TRUE(peer.write_with("x", std::move(mine)));
        }
        EXPECT_GT(peer.unsent(), 0U);
        return Action::none;
    };
    for (const char* const scheme : kSchemes) {
        serve(scheme);
        RawMessages peer = this->peer();
        opened();
        peer.send("left unread", {writer.number()});
        EXPECT_TRUE(eventually([&] { return script.count("on_traffic") > 0; }));
        stop_within(Duration::zero());
    }
    writer.close();
    EXPECT_TRUE(is_ended(reader.number()));
    reader.close();
    EXPECT_EQ(open_descriptors(), before);
}

TEST_P(PassingDescriptors, AreNotLetInUnlessAskedFor) {
    options.descriptors_max = 0;
    script.traffic = [this](Connection& peer) {
        EXPECT_TRUE(peer.take_descriptors().empty());
        FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        const auto sent = peer.write_with("no", std::move(file));
        EXPECT_EQ(sent.error().code(), ErrorCode::unsupported);
        EXPECT_NE(sent.error().to_string().find("descriptors_max"), std::string::npos);
        EXPECT_TRUE(file.is_open()) << "still the caller's";
        note(as_text(peer.next()));
        return Action::none;
    };
    for (const char* const scheme : kSchemes) {
        serve(scheme);
        RawMessages peer = this->peer();
        auto [reader, writer] = raw_pipe();
        peer.send("bytes alone", {writer.number()});
        writer.close();
        EXPECT_TRUE(is_ended(reader.number())) << scheme;
        peer.close();
        EXPECT_EQ(stop().outcome, StopOutcome::clean);
    }
    EXPECT_EQ(heard(), (std::vector<std::string>{"bytes alone", "bytes alone"}));
}

TEST_P(PassingDescriptors, WhatCannotTravelIsRefusedAndStays) {
    script.open = [](Connection& peer) {
        FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        EXPECT_EQ(peer.write_with("", std::move(file)).error().code(), ErrorCode::invalid_option);
        EXPECT_TRUE(file.is_open());
        EXPECT_EQ(peer.write_with(as_bytes("none"), {}).error().code(), ErrorCode::invalid_option);
        FileDescriptor none;
        EXPECT_FALSE(peer.write_with("not open", std::move(none)));
        FileDescriptor gone(::dup(file.number()));
        ::close(gone.number());
        EXPECT_FALSE(peer.write_with("closed", std::move(gone)));
        gone.release();
        EXPECT_EQ(peer.write_with(pattern(4U << 20U), std::move(file)).value(),
                  WriteStatus::too_long);
        EXPECT_TRUE(file.is_open());
        EXPECT_TRUE(peer.is_open());
        peer.write("only this");
        return Action::none;
    };
    serve();
    EXPECT_EQ(peer().read().bytes, "only this");
}

TEST_P(PassingDescriptors, BothWaysOverADialledConnection) {
    auto [reader, writer] = raw_pipe();
    write_into_each("through two ends");
    script.open = [&](Connection& peer) {
        if (peer.listener_index() == Connection::kNoListener) {
            FileDescriptor mine(::fcntl(writer.number(), F_DUPFD_CLOEXEC, 0));
            EXPECT_TRUE(peer.write_with("take it", std::move(mine)));
        }
        return Action::none;
    };
    for (std::size_t turn = 0; turn < kSchemes.size(); ++turn) {
        serve(kSchemes.at(turn));
        on_loop([&](EventLoop& loop) {
            ASSERT_TRUE(loop.connect(engine().endpoints()[0], {.descriptors_max = 1}));
        });
        ASSERT_TRUE(has_heard(turn + 1));
        settle();
        EXPECT_EQ(text_in(reader.number()), "through two ends");
        EXPECT_EQ(stop().outcome, StopOutcome::clean);
    }
}

TEST_P(PassingDescriptors, DialsThatCannotPassThemAreRefused) {
    serve();
    on_loop([](EventLoop& loop) {
        const auto refused = loop.connect(loopback_endpoint(), {.descriptors_max = 1});
        EXPECT_EQ(refused.error().code(), ErrorCode::unsupported);
    });
    Options wrong = options;
    wrong.descriptors_max = 254;
    EventHandler nothing;
    EXPECT_EQ(Engine(nothing, wrong).start(address()).error().code(), ErrorCode::invalid_option);
    wrong = options;
    wrong.packet_max = 0;
    EXPECT_EQ(Engine(nothing, wrong).start(address()).error().code(), ErrorCode::invalid_option);
}

// A stream that passes descriptors is one in every other way.
TEST_P(PassingDescriptors, AStreamOfThemCarriesManyBytes) {
    script.traffic = echo;
    serve("unix");
    RawPeer peer = RawPeer::connect(engine().endpoints()[0]);
    const std::string sent = pattern(3U << 20U);
    std::string got;
    std::size_t gone = 0;
    ASSERT_TRUE(eventually([&] {
        gone += peer.send_now(std::string_view(sent).substr(gone));
        got += peer.read_now();
        return got.size() == sent.size();
    }));
    EXPECT_EQ(got, sent);
    const StopReport report = stop();
    expect_balanced(report.bytes);
    EXPECT_EQ(report.bytes.acknowledged, sent.size());
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

BERTH_FOR_EACH_PLAIN_DRIVER(PassingDescriptors);

}  // namespace
}  // namespace berth::test
