// SPDX-License-Identifier: MIT
//
// Wire: how much is sealed ahead, and when plaintext counts as gone.

#include "net/wire.hpp"

#include "support/record_transport.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace berth::net {
namespace {

using test::RecordTransport;

constexpr std::size_t kHead = 3;  // of a record
constexpr std::size_t kRecord = transport::kRecordMax;

// Seals without end: each record is a head and the plaintext.
class Willing final : public transport::Transport {
public:
    transport::Status status() const override { return transport::Status::open; }
    int failure() const override { return 0; }
    void receive(Bytes) override {}
    Bytes next_plain() override { return {}; }
    bool may_seal() const override { return true; }
    void seal(Bytes plain) override { wire_ = std::string(kHead + plain.size(), '.'); }
    void say_goodbye() override {}
    Bytes next_wire() override {
        lent_ = std::exchange(wire_, {});
        return as_bytes(lent_);
    }

private:
    std::string wire_;
    std::string lent_;
};

class AWire : public testing::Test {
protected:
    AWire() {
        transport().receive(as_bytes(std::string_view("\0\5\1berth\0\0\2", 11)));
        wire.fill(nullptr);
        send_all();
    }
    transport::Transport& transport() { return wire.transport(); }
    void write(std::size_t count) { plain->append(Buffer::adopt(std::string(count, '.'))); }
    // As the kernel would: takes `count` wire bytes, and the plaintext that goes with them.
    std::size_t send(std::size_t count) {
        const std::size_t gone = wire.taken(count);
        plain->consume(gone);
        return gone;
    }
    std::size_t waiting() {
        const OutputQueue* queue = wire.fill(plain->empty() ? nullptr : plain.get());
        return queue == nullptr ? 0 : queue->bytes();
    }
    void send_all() {
        while (const std::size_t count = waiting()) send(count);
    }

    OutputPool pool;
    std::unique_ptr<OutputQueue> plain = pool.take_queue();
    Wire wire{std::make_unique<RecordTransport>(RecordTransport::Role::server), pool};
};

TEST_F(AWire, OwesNothingWhenAllIsTaken) {
    EXPECT_TRUE(wire.empty());
    EXPECT_EQ(waiting(), 0U);
}

TEST_F(AWire, SealsARecordOfWhatIsThere) {
    write(100);
    EXPECT_EQ(waiting(), kHead + 100);
    EXPECT_EQ(waiting(), kHead + 100) << "and only once";
}

TEST_F(AWire, SealsLittleAhead) {
    Wire willing(std::make_unique<Willing>(), pool);
    for (std::size_t i = 0; i < 2 * Wire::kRecordsMax; ++i) write(1);
    EXPECT_EQ(willing.fill(plain.get())->bytes(), Wire::kRecordsMax * (kHead + 1));
    plain->consume(willing.taken(Wire::kRecordsMax * (kHead + 1)));
    plain->consume(plain->bytes());
    write(100 * kRecord);
    EXPECT_EQ(willing.fill(plain.get())->bytes(), Wire::kSealedMax + 2 * kHead);
    EXPECT_FALSE(willing.owes_too_much());
}

TEST_F(AWire, PlaintextIsGoneWithTheLastByteOfItsRecord) {
    write(10);
    write(20);
    EXPECT_EQ(waiting(), 2 * kHead + 30);
    EXPECT_EQ(send(kHead + 9), 0U);
    EXPECT_EQ(send(1), 10U);
    EXPECT_EQ(send(kHead + 19), 0U);
    EXPECT_EQ(send(1), 20U);
    EXPECT_TRUE(wire.empty());
}

TEST_F(AWire, SealsOnWhatIsQueuedBehindARecordThatIsHalfGone) {
    plain->append_copy(as_bytes("one"));
    ASSERT_EQ(waiting(), kHead + 3);
    send(2);
    plain->append_copy(as_bytes("two"));
    EXPECT_EQ(waiting(), 2 * kHead + 6 - 2);
    EXPECT_EQ(send(2 * kHead + 6 - 2), 6U);
}

TEST_F(AWire, SealsNothingWhileTheTransportMustRead) {
    write(20 * kRecord);
    send_all();
    EXPECT_EQ(plain->bytes(), 12 * kRecord) << "eight records want an acknowledgement";
    transport().receive(as_bytes(std::string_view("\0\0\4", 3)));
    EXPECT_TRUE(transport().next_plain().empty());
    EXPECT_NE(waiting(), 0U);
}

TEST_F(AWire, SaysGoodbyeOnce) {
    wire.say_goodbye();
    wire.say_goodbye();
    EXPECT_EQ(waiting(), kHead);
}

TEST_F(AWire, TellsTheEndOnce) {
    EXPECT_TRUE(wire.tell_end());
    EXPECT_FALSE(wire.tell_end());
}

TEST_F(AWire, OwesTooMuchToAPeerThatOnlyAsks) {
    // One data record, and its acknowledgement, eight times over.
    const std::string record("\0\1\3.", 4);
    std::string records;
    for (int i = 0; i < 8; ++i) records += record;
    for (std::size_t answers = 0; answers * kHead <= Wire::kOwedMax; ++answers) {
        EXPECT_FALSE(wire.owes_too_much());
        transport().receive(as_bytes(records));
        while (!transport().next_plain().empty()) {
        }
        wire.collect();
    }
    EXPECT_TRUE(wire.owes_too_much());
}

}  // namespace
}  // namespace berth::net
