// SPDX-License-Identifier: MIT
//
// Sending soon: in order, nothing lost, nothing overtaken, whatever the kernel refuses later.

#include "conformance/conformance.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace berth::conformance {
namespace {

using driver::Ending;
using driver::Sent;
using driver::Slices;
using driver::Stream;
using test::Ended;
using test::Peer;

std::string text_of(Slices slices) {
    std::string text;
    for (const Bytes& slice : slices) text += as_text(slice);
    return text;
}

// What a connection does: sends soon as long as nothing is owed, and else waits for room.
class Sender {
public:
    Sender(driver::Driver& driver, Stream& stream) : driver_(driver), stream_(stream) {}

    void write(const std::string& bytes) { write(as_bytes(bytes)); }
    void write(Bytes bytes) {
        if (owed_.empty()) {
            const Sent sent = driver_.send_soon(stream_, bytes);
            ASSERT_FALSE(sent.is_failed());
            bytes = bytes.subspan(sent.count());
        }
        owed_ += as_text(bytes);
    }
    // Instead of waiting for room: simple, and the contract allows it.
    void push() {
        if (owed_.empty()) return;
        const Sent sent = driver_.send(stream_, as_bytes(owed_));
        ASSERT_FALSE(sent.is_failed());
        owed_.erase(0, sent.count());
    }
    void settle() { take_back(text_of(driver_.settle(stream_))); }
    void take_back(const std::string& bytes) { owed_.insert(0, bytes); }
    bool owes_nothing() const { return owed_.empty(); }

private:
    driver::Driver& driver_;
    Stream& stream_;
    std::string owed_;
};

class SendSoon : public Conformance {
protected:
    void SetUp() override {
        Conformance::SetUp();
        sink().on_completion = [this](const Completion& each, Bytes) { heed(each); };
    }
    Sender& sender_of(Stream& stream) {
        return senders_.try_emplace(&stream, driver(), stream).first->second;
    }
    void write(Stream& stream, const std::string& bytes) { sender_of(stream).write(bytes); }
    void heed(const Completion& each) {
        if (each.kind == Kind::unsent) senders_.at(each.source).take_back(each.bytes);
    }
    // It sends back what the stream receives, from now on.
    Sender& sending_back(Stream& stream) {
        Sender& sender = sender_of(stream);
        sink().on_completion = [this, &sender](const Completion& each, Bytes lent) {
            if (each.kind == Kind::received) return sender.write(lent);
            heed(each);
        };
        return sender;
    }
    // Reads until the peer has all of it, in order, and sends what is owed meanwhile.
    void expect_arrives(Pair& pair, const std::string& expected, std::string read = {}) {
        EXPECT_TRUE(world().until([&] {
            sender_of(pair.stream).push();
            read += pair.peer->read_now();
            return sender_of(pair.stream).owes_nothing() && read.size() >= expected.size();
        }));
        EXPECT_TRUE(read == expected) << read.size() << " bytes of " << expected.size();
    }

    // What becomes of one stream.
    struct Tale {
        explicit Tale(Pair&& one) : pair(std::move(one)) {}
        Pair pair;
        std::string expected;
        std::string read;
    };
    void do_something(Tale& tale, std::minstd_rand& random) {
        Sender& sender = sender_of(tale.pair.stream);
        switch (random() % 16) {
            case 0: return sender.settle();
            case 1: return sender.push();
            case 2: tale.read += tale.pair.peer->read_now(); return;
            case 3: return driver().pause_receive(tale.pair.stream);
            case 4: return driver().resume_receive(tale.pair.stream);
            default: break;
        }
        const std::string bytes = numbered().substr(0, random() % (4U << 10U));
        tale.expected += bytes;
        sender.write(bytes);
    }

    // No two are the same, so that none can pass for another.
    std::string numbered() { return std::to_string(++number_) + block_.substr(0, 12U << 10U); }

    const std::string block_ = pattern(16U << 10U);

private:
    int number_ = 0;
    std::map<const driver::Source*, Sender> senders_;
};
class Settle : public SendSoon {};

INSTANTIATE_TEST_SUITE_P(World, SendSoon, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, Settle, ::testing::ValuesIn(worlds()), name_of_world);

// 15: whichever way each of them takes
TEST_P(SendSoon, DeliversEveryByteInOrder) {
    Pair pair = world().receiving_pair();
    write(pair.stream, "one ");
    write(pair.stream, "two ");
    world().advance();
    write(pair.stream, "three ");
    sender_of(pair.stream).settle();
    write(pair.stream, "four");
    expect_arrives(pair, "one two three four");
}

// 15
TEST_P(SendSoon, FreesItsMemoryAtOnce) {
    Pair pair = world().receiving_pair();
    std::string memory = "before";
    write(pair.stream, memory);
    memory = "XXXXXX";
    expect_arrives(pair, "before");
}

// 15: more than there is room for in one poll
TEST_P(SendSoon, ServesManyStreams) {
    std::deque<Pair> pairs;
    for (int i = 0; i < 40; ++i) pairs.push_back(world().receiving_pair());
    for (Pair& pair : pairs) {
        write(pair.stream, block_);
        write(pair.stream, "end");
    }
    for (Pair& pair : pairs) expect_arrives(pair, block_ + "end");
}

// 15: a refusal that nobody has looked at holds back what follows it
TEST_P(SendSoon, IsNotOvertaken) {
    Pair pair = world().receiving_pair(PeerBuffer::small);
    Sender& sender = sender_of(pair.stream);
    std::string expected;
    sink().on_completion = [&](const Completion& each, Bytes) {
        heed(each);
        if (each.kind != Kind::received) return;
        sender.write("[answer]");
        sender.push();
        expected += "[answer]";
    };
    ASSERT_TRUE(test::eventually([&] { return !sender.owes_nothing(); },
                                 [&] {
                                     pair.peer->send_now("?");
                                     const std::string bytes = numbered();
                                     sender.write(bytes);
                                     expected += bytes;
                                     world().advance();
                                 },
                                 [&] { return sink().to_string(); }));
    expect_arrives(pair, expected);
}

// 15: any mixture of calls, against a peer that begins to read when nothing goes any more
TEST_P(SendSoon, LosesNothingTowardsASlowPeer) {
    Pair pair = world().receiving_pair(PeerBuffer::small);
    Sender& sender = sender_of(pair.stream);
    std::string expected;
    std::string read;
    std::minstd_rand random(1);
    for (int step = 0; step < 1200; ++step) {
        const auto choice = random() % 16;
        if (choice == 0) sender.settle();
        if (choice == 1) sender.push();
        if (choice == 2 && !sender.owes_nothing()) read += pair.peer->read_now();
        if (choice <= 4) world().advance();
        if (choice <= 4) continue;
        const std::string bytes = std::to_string(step) + block_.substr(0, random() % (8U << 10U));
        expected += bytes;
        sender.write(bytes);
    }
    expect_arrives(pair, expected, std::move(read));
}

// 15: the same towards many of them, with more calls between two polls than a ring has entries
TEST_P(SendSoon, LosesNothingTowardsManySlowPeers) {
    std::deque<Tale> tales;
    for (int i = 0; i < 60; ++i) tales.emplace_back(world().receiving_pair(PeerBuffer::small));
    std::minstd_rand random(1);
    for (int step = 0; step < 12'000; ++step) {
        do_something(tales[random() % tales.size()], random);
        if (random() % 600 == 0) world().advance();
    }
    for (Tale& tale : tales) expect_arrives(tale.pair, tale.expected, std::move(tale.read));
}

// 15: while the driver's buffers go round several times, and the peer keeps up or does not
TEST_P(SendSoon, SendsBackWhatItHasReceivedFromWhereThatLies) {
    Pair pair = world().receiving_pair(PeerBuffer::small);
    Sender& sender = sending_back(pair.stream);
    std::string expected;
    std::string read;
    for (std::size_t step = 0; expected.size() < (3U << 20U) && step < 20'000; ++step) {
        const std::string bytes = std::to_string(step) + block_.substr(0, step % 4096);
        expected += bytes.substr(0, pair.peer->send_now(bytes));
        if (step % 3 == 0) world().advance();
        if (step % 7 == 0) sender.push();
        if (step % 50 < 40) read += pair.peer->read_now();
    }
    expect_arrives(pair, expected, std::move(read));
}

// 15: the same with several long pieces in one poll, which may leave as one
TEST_P(SendSoon, SendsBackLongPiecesInOrder) {
    Pair pair = world().receiving_pair();
    Sender& sender = sending_back(pair.stream);
    std::string expected;
    std::string read;
    for (int step = 0; expected.size() < (6U << 20U) && step < 2'000; ++step) {
        std::string bytes;
        while (bytes.size() < (256U << 10U)) bytes += std::to_string(step) + block_;
        expected += bytes.substr(0, pair.peer->send_now(bytes));
        world().advance();
        if (step % 5 == 0) sender.push();
        if (step % 50 < 40) read += pair.peer->read_now();
    }
    expect_arrives(pair, expected, std::move(read));
}

// 15: as soon as the kernel knows; and the receive tells it, too
TEST_P(SendSoon, TellsOfAReset) {
    auto [stream, peer] = world().receiving_pair();
    peer->reset();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    sink().on_completion = {};
    const Sent sent = driver().send_soon(stream, as_bytes("anybody there?"));
    if (sent.is_failed()) return;
    ASSERT_TRUE(comes(Kind::unsent, stream));
    EXPECT_NE(sink().first(stream, Kind::unsent).errno_value, 0);
    EXPECT_EQ(sink().first(stream, Kind::unsent).bytes, "anybody there?");
}

// 15: also of those that a bound of the poll would keep back
TEST_P(SendSoon, TellsOfEachRefusalInItsPoll) {
    open_with({.events_max = 1});
    sink().on_completion = [this](const Completion& each, Bytes) { heed(each); };
    std::deque<Pair> pairs;
    for (int i = 0; i < 4; ++i) pairs.push_back(world().receiving_pair(PeerBuffer::small));
    std::vector<std::string> expected(pairs.size());
    const auto all_owe = [&] {
        return std::ranges::none_of(
            pairs, [&](Pair& pair) { return sender_of(pair.stream).owes_nothing(); });
    };
    const auto write_to_all = [&] {
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            const std::string bytes = numbered();
            write(pairs[i].stream, bytes);
            expected[i] += bytes;
        }
        world().advance();
    };
    ASSERT_TRUE(test::eventually(all_owe, write_to_all, [&] { return sink().to_string(); }));
    for (std::size_t i = 0; i < pairs.size(); ++i) expect_arrives(pairs[i], expected[i]);
}

// 15: also of one that was handed over early in a poll, and others after it
TEST_P(SendSoon, TellsOfARefusalThatIsFollowedByOtherHandOvers) {
    Pair full = world().receiving_pair(PeerBuffer::small);
    const std::size_t filled = fill(full.stream);
    write(full.stream, block_);
    std::deque<Pair> others;
    for (int i = 0; i < 3; ++i) {
        others.push_back(world().receiving_pair());
        write(others.back().stream, "soon");
    }
    for (Pair& other : others) {
        driver().pause_receive(other.stream);  // something more to hand over
        sender_of(other.stream).settle();
    }
    world().advance();
    std::string read;
    EXPECT_TRUE(world().until([&] {
        sender_of(full.stream).push();
        read += full.peer->read_now();
        return sender_of(full.stream).owes_nothing() && read.size() >= filled + block_.size();
    }));
    EXPECT_TRUE(read.ends_with(block_));
    for (Pair& other : others) expect_arrives(other, "soon");
}

// 15: no poll is needed
TEST_P(Settle, HandsOverAtOnce) {
    if (!is_prompt()) GTEST_SKIP() << "a storm delays everything";
    auto [stream, peer] = world().receiving_pair();
    write(stream, "now");
    EXPECT_TRUE(driver().settle(stream).empty());
    EXPECT_TRUE(driver().settle(stream).empty());
    driver().close(stream, Ending::orderly);
    EXPECT_EQ(world().read_all(*peer, std::string::npos), "now");
}

// 15: and no completion follows
TEST_P(Settle, GivesBackWhatIsRefused) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    const std::size_t filled = fill(stream);
    const std::size_t taken = driver().send_soon(stream, as_bytes(block_)).count();
    const std::string back = text_of(driver().settle(stream));
    ASSERT_LE(back.size(), taken);
    world().advance_idly();
    EXPECT_FALSE(sink().has(stream, Kind::unsent));
    driver().end_sending(stream);
    const std::string read = world().read_all(*peer, std::string::npos);
    EXPECT_EQ(read.size(), filled + taken - back.size());
    EXPECT_TRUE(block_.substr(0, taken).ends_with(back));
}

// 15
TEST_P(Settle, LetsTheEndComeAfterTheLastByte) {
    auto [stream, peer] = world().receiving_pair();
    write(stream, "last words");
    Sender& sender = sender_of(stream);
    ASSERT_TRUE(
        world().until([&] { return sender.settle(), sender.push(), sender.owes_nothing(); }));
    driver().end_sending(stream);
    EXPECT_EQ(world().read_all(*peer, std::string::npos), "last words");
    EXPECT_EQ(peer->ended(), Ended::by_fin);
}

// 15: and neither its bytes nor their refusal reach the stream that takes its place
TEST_P(SendSoon, IsDroppedByAReset) {
    Pair other = world().receiving_pair();
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    fill(stream);
    static_cast<void>(driver().send_soon(stream, as_bytes(block_)));
    driver().close(stream, Ending::reset);
    write(other.stream, "still here");
    ASSERT_TRUE(comes(Kind::closed, stream));
    EXPECT_FALSE(sink().has(stream, Kind::unsent));
    expect_arrives(other, "still here");
}

}  // namespace
}  // namespace berth::conformance
