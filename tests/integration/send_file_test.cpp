// SPDX-License-Identifier: MIT
//
// Connection::send_file: in order, whole, or not at all.

#include "integration/support_engine.hpp"
#include "support/descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class SendingFiles : public AnEngine {
protected:
    // A file with that in it, open for reading.
    OwnedDescriptor file_with(const std::string& text) {
        const std::string path = dir().file("file" + std::to_string(files_++));
        OwnedDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        EXPECT_EQ(::write(file.number(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
        return file;
    }
    Completion note() {
        return [this](ConnectionId, Delivery delivery) {
            const std::scoped_lock lock(mutex_);
            deliveries_.push_back(delivery);
        };
    }
    std::vector<Delivery> deliveries() const {
        const std::scoped_lock lock(mutex_);
        return deliveries_;
    }

private:
    int files_ = 0;
    mutable std::mutex mutex_;
    std::vector<Delivery> deliveries_;
};

TEST_P(SendingFiles, GoInOrderWithWhatIsWrittenBeforeAndAfter) {
    const OwnedDescriptor one = file_with("0123456789");
    const OwnedDescriptor two = file_with("abcdef");
    script.open = [&](Connection& peer) {
        peer.write("<");
        EXPECT_TRUE(peer.send_file({.file = one.number(), .offset = 2, .count = 5}, note()));
        peer.write("|");
        EXPECT_TRUE(peer.send_file({.file = two.number(), .count = 6}, note()));
        EXPECT_TRUE(peer.send_file({.file = one.number(), .count = 1}, note()));
        peer.write(">");
        EXPECT_EQ(peer.unsent(), 3U + 12U);
        return Action::close;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), "<23456|abcdef0>");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_TRUE(eventually([&] { return deliveries() == std::vector(3, Delivery::written); }));
}

TEST_P(SendingFiles, MegabytesArriveWholeAtASlowReader) {
    const std::string text = pattern(6U << 20U);
    const OwnedDescriptor file = file_with(text);
    options.output_high = 64U << 10U;
    options.output_low = 16U << 10U;
    script.open = [&](Connection& peer) {
        EXPECT_TRUE(peer.send_file({.file = file.number(), .count = text.size()}, note()));
        EXPECT_EQ(peer.write("end"), WriteStatus::queued) << "a file takes no memory";
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    EXPECT_TRUE(peer.read(text.size()) == text);
    EXPECT_EQ(peer.read(3), "end");
    EXPECT_TRUE(eventually([&] { return deliveries() == std::vector{Delivery::written}; }));
    EXPECT_LE(engine().snapshot().outbound_bytes, 128U << 10U);
}

TEST_P(SendingFiles, TheDescriptorMayBeClosedAtOnceAndNoneIsKept) {
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    const std::size_t before = open_descriptors();
    on_loop(
        [&](EventLoop& loop) {
            const OwnedDescriptor file = file_with("gone");
            EXPECT_TRUE(loop.find(id)->send_file({.file = file.number(), .count = 4}));
        },
        id.loop());
    EXPECT_EQ(peer.read(4), "gone");
    EXPECT_TRUE(eventually([&] { return open_descriptors() == before; }));
}

TEST_P(SendingFiles, AFileThatIsTooShortBreaksTheStream) {
    const OwnedDescriptor file = file_with("short");
    script.open = [&](Connection& peer) {
        EXPECT_TRUE(peer.send_file({.file = file.number(), .count = 6}, note()));
        return Action::close;
    };
    start();
    RawPeer peer = connect();
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_reset) << "it must not look complete";
    EXPECT_EQ(closed(), CloseReason::io_error);
    EXPECT_TRUE(eventually([&] { return deliveries() == std::vector{Delivery::stale}; }));
}

TEST_P(SendingFiles, WhatIsNoDescriptorIsRefusedAndNothingIsOwed) {
    std::atomic<bool> refused = false;
    script.open = [&](Connection& peer) {
        refused = !peer.send_file({.file = -1, .count = 6}, note());
        peer.write("fine");
        return Action::close;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), "fine");
    EXPECT_TRUE(refused);
    EXPECT_TRUE(deliveries().empty());
}

TEST_P(SendingFiles, APeerThatIsGoneCostsTheConnectionOnly) {
    const std::string text = pattern(6U << 20U);
    const OwnedDescriptor file = file_with(text);
    script.open = [&](Connection& peer) {
        EXPECT_TRUE(peer.send_file({.file = file.number(), .count = text.size()}, note()));
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    peer.read(1);
    peer.reset();
    closed();
    EXPECT_TRUE(eventually([&] { return deliveries() == std::vector{Delivery::stale}; }));
}

TEST_P(SendingFiles, AStopWaitsForAFileAndCountsIt) {
    const std::string text = pattern(4U << 20U);
    const OwnedDescriptor file = file_with(text);
    script.open = [&](Connection& peer) {
        EXPECT_TRUE(peer.send_file({.file = file.number(), .count = text.size()}, note()));
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    engine().request_stop();
    EXPECT_TRUE(peer.read_to_end() == text);
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    peer.close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(report.bytes.written, text.size());
    expect_balanced(report.bytes);
}

TEST_P(SendingFiles, TheDeadlineCutsAFileOffAndCountsWhatIsMissing) {
    const std::string text = pattern(8U << 20U);
    const OwnedDescriptor file = file_with(text);
    script.open = [&](Connection& peer) {
        EXPECT_TRUE(peer.send_file({.file = file.number(), .count = text.size()}, note()));
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    settle();
    const StopReport report = stop_within(milliseconds{50});
    EXPECT_EQ(report.connections.forced, 1U);
    EXPECT_GT(report.bytes.discarded, 0U);
    EXPECT_EQ(report.bytes.written, text.size());
    expect_balanced(report.bytes);
    EXPECT_EQ(deliveries(), std::vector{Delivery::cancelled_by_stop});
}

BERTH_FOR_EACH_DRIVER(SendingFiles);

}  // namespace
}  // namespace berth::test
