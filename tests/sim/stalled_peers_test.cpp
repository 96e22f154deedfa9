// SPDX-License-Identifier: MIT
//
// Peers that take nothing while the engine stops: they are looked for before the deadline, and
// looked for again, so that who moved at the first look only does not make the stop late.

#include "sim/stepping.hpp"

#include <berth/bytes.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace berth::simulation {
namespace {

using namespace std::chrono_literals;

// So many take their time to be cut off: 100 ms before the end.
constexpr std::size_t kStalled = 400;
constexpr std::size_t kMovers = 100;
constexpr std::size_t kBuffers = 4096;
constexpr std::size_t kOwed = 8 * kBuffers;
constexpr Duration kDrain = 2s;
constexpr Duration kFirstLook = kDrain - kStalled * 250us;
constexpr Duration kSecondLook = kFirstLook + (kDrain - kFirstLook) / 2;

// Says more than the buffers hold.
class Talker final : public EventHandler {
public:
    Action on_open(Connection& peer) override {
        peer.write(as_bytes(std::string(kOwed, 'x')));
        ++opened;
        return Action::none;
    }
    void on_close(Connection&, CloseReason reason) override {
        if (reason == CloseReason::stop_forced) ++forced;
    }

    std::size_t opened = 0;
    std::size_t forced = 0;
};

class StalledPeers : public testing::Test {
protected:
    StalledPeers() {
        kernel_.size_tcp_buffers(kBuffers, kBuffers);
        EXPECT_TRUE(engine_.start());
        const Endpoint server = engine_.engine().endpoints().at(0);
        for (std::size_t i = 0; i < kStalled; ++i) {
            peers_.push_back(*clients_.socket(sim::Family::v4, sim::Kind::stream));
            static_cast<void>(clients_.connect(peers_.back(), server));
            run(kernel_, engine_, [this, i] { return talker_.opened > i; });
        }
        began_ = kernel_.now();
        engine_.engine().request_stop();
    }
    ~StalledPeers() override { run_on(Instant::never()); }

    void run_on(Instant end) {
        run(kernel_, engine_, [this] { return !engine_.is_running(); }, end);
    }
    void run_to(Duration since_stop) { run_on(began_ + since_stop); }
    // So many peers read what has arrived, and nothing after it.
    void move(std::size_t count) {
        std::vector<std::byte> room(kBuffers);
        for (std::size_t i = 0; i < count; ++i) {
            EXPECT_TRUE(clients_.receive(peers_[i], room));
        }
    }
    Duration taken() const { return kernel_.now() - began_; }

    Talker talker_;
    Silence silence_;
    sim::Kernel kernel_{1};
    sim::Process clients_{kernel_};
    SteppedEngine engine_{kernel_,
                          {.options = {.loops = 1, .drain = kDrain},
                           .bounds = {},
                           .addresses = {{.listen = "tcp://127.0.0.1:0", .dial = {}}}},
                          talker_,
                          silence_};
    std::vector<driver::Descriptor> peers_;
    Instant began_;
};

TEST_F(StalledPeers, AreCutOffBeforeTheDeadline) {
    run_to(kFirstLook - 1ms);
    EXPECT_EQ(talker_.forced, 0U) << "too early";
    run_on(Instant::never());
    EXPECT_EQ(talker_.forced, kStalled);
    EXPECT_LE(taken(), kFirstLook + 10ms);
}

TEST_F(StalledPeers, WhoMovedAtTheFirstLookIsLookedAtAgain) {
    run_to(kFirstLook - 10ms);
    move(kMovers);
    run_to(kSecondLook - 1ms);
    EXPECT_EQ(talker_.forced, kStalled - kMovers) << "who moved is left alone";
    run_on(Instant::never());
    EXPECT_EQ(talker_.forced, kStalled);
    EXPECT_LE(taken(), kSecondLook + 10ms) << "it was not looked at again";
}

TEST_F(StalledPeers, WhoMovesOnHasUntilTheDeadline) {
    for (Duration at = kFirstLook - 10ms; at < kDrain; at += 10ms) {
        run_to(at);
        move(1);
    }
    EXPECT_TRUE(engine_.is_running());
    EXPECT_EQ(talker_.forced, kStalled - 1);
}

}  // namespace
}  // namespace berth::simulation
