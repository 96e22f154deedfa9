// SPDX-License-Identifier: MIT
//
// Acceptor: suspending, and closing without losing anybody.
//
// Method: a loop on the real kernel that the test steps, and a placement that keeps who was
// accepted.

#include "net/acceptor.hpp"

#include "driver/epoll/epoll_driver.hpp"
#include "driver/kernel_system.hpp"
#include "net/listening.hpp"
#include "support/descriptors.hpp"
#include "support/eventually.hpp"
#include "support/raw_socket.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace berth::net {
namespace {

using driver::Descriptor;
using test::OwnedDescriptor;
using test::RawPeer;

class NoBatch final : public loop::BatchEvents {
public:
    void on_batch_end() override {}
};

class Guests final : public Placement {
public:
    void place(Descriptor socket, const IpEndpoint&, std::size_t) override {
        accepted.emplace_back(number(socket));
    }
    void listener_changed(const Acceptor&) override { ++changes; }

    std::vector<OwnedDescriptor> accepted;
    unsigned changes = 0;
};

class AnAcceptor : public testing::Test {
protected:
    AnAcceptor() {
        loop::DriverFactory factory([](loop::Loop& sink) { return open_driver(sink); });
        EXPECT_TRUE(loop.open(factory));
        limit.set_max(100);
        acceptor = std::make_unique<Acceptor>(AcceptorSetup{.loop = loop,
                                                            .counters = counters,
                                                            .limit = limit,
                                                            .placement = guests,
                                                            .entrance = &listening->entrance()},
                                              listening->take_socket(0), 0);
        acceptor->start();
    }
    ~AnAcceptor() override {
        acceptor->close(ListenerEnd::handed_over);
        step();
        acceptor.reset();
        loop.shut();
    }

    static driver::Outcome<std::unique_ptr<driver::Driver>> open_driver(loop::Loop& sink) {
        auto opened = driver::EpollDriver<loop::Loop>::open(sink, sink.system(), {});
        if (!opened) return base::failed(opened.errno_value());
        return std::unique_ptr<driver::Driver>(std::move(*opened));
    }
    void step() { EXPECT_TRUE(loop.run_once(Instant{})); }
    testing::AssertionResult soon(auto&& holds) {
        return test::eventually(
            holds,
            [&] {
                test::let_others_run();
                step();
            },
            test::kNothingToShow);
    }
    RawPeer connect() { return RawPeer::connect(listening->endpoint()); }
    bool is_placed(std::size_t count) const { return guests.accepted.size() == count; }
    OwnedDescriptor copy() {
        return OwnedDescriptor{number(system.duplicate(listening->descriptor(0)).value())};
    }
    int accept_on(const OwnedDescriptor& listener) {
        auto accepted = system.accept(Descriptor{listener.number()});
        if (accepted) system.close(accepted->descriptor);
        return accepted.errno_value();
    }

    driver::System& system = driver::kernel_system();
    NoBatch no_batch;
    loop::Loop loop{system, no_batch};
    LoopCounters counters;
    ConnectionLimit limit;
    Guests guests;
    Result<Listening> listening =
        Listening::open(system, Endpoint::parse("tcp://127.0.0.1:0").value(), {.backlog = 16});
    std::unique_ptr<Acceptor> acceptor;
};

// ── Suspending ───────────────────────────────────────────────────────────────────────────────

TEST_F(AnAcceptor, LeavesClientsInTheQueueWhileSuspended) {
    acceptor->suspend();
    EXPECT_TRUE(soon([&] { return acceptor->is_suspended(); }));
    EXPECT_EQ(guests.changes, 1U);
    const RawPeer client = connect();
    for (int i = 0; i < 5; ++i) step();
    EXPECT_TRUE(is_placed(0));
    acceptor->resume();
    EXPECT_FALSE(acceptor->is_suspended());
    EXPECT_TRUE(soon([&] { return is_placed(1); }));
}

TEST_F(AnAcceptor, ResumedBeforeItCameToRestItAccepts) {
    acceptor->suspend();
    acceptor->resume();
    const RawPeer client = connect();
    EXPECT_TRUE(soon([&] { return is_placed(1); }));
    EXPECT_FALSE(acceptor->is_suspended());
}

TEST_F(AnAcceptor, SuspendedOnesQueueIsServedWhenItCloses) {
    acceptor->suspend();
    EXPECT_TRUE(soon([&] { return acceptor->is_suspended(); }));
    const RawPeer client = connect();
    acceptor->close(ListenerEnd::ours);
    EXPECT_TRUE(acceptor->is_closed());
    EXPECT_TRUE(is_placed(1));
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

TEST_F(AnAcceptor, ServesTheQueueAndEndsForEveryCopy) {
    const OwnedDescriptor inherited = copy();
    const RawPeer client = connect();
    acceptor->close(ListenerEnd::ours);
    EXPECT_TRUE(soon([&] { return acceptor->is_closed(); }));
    EXPECT_TRUE(is_placed(1));
    EXPECT_EQ(accept_on(inherited), EINVAL);
}

TEST_F(AnAcceptor, HandedOverItLeavesTheQueueToTheOtherCopy) {
    const OwnedDescriptor successor = copy();
    acceptor->suspend();
    EXPECT_TRUE(soon([&] { return acceptor->is_suspended(); }));
    const RawPeer client = connect();
    acceptor->close(ListenerEnd::handed_over);
    EXPECT_TRUE(acceptor->is_closed());
    EXPECT_TRUE(is_placed(0));
    EXPECT_EQ(accept_on(successor), 0);
    const RawPeer next = connect();
}

TEST_F(AnAcceptor, SharedOneIsNeverShutDown) {
    const OwnedDescriptor managers = copy();
    listening->share(true);
    acceptor->close(ListenerEnd::ours);
    EXPECT_TRUE(soon([&] { return acceptor->is_closed(); }));
    const RawPeer waiting = connect();
    EXPECT_EQ(accept_on(managers), 0);
}

TEST_F(AnAcceptor, ShortOfDescriptorsItStaysUntilEveryoneIsServed) {
    acceptor->suspend();
    EXPECT_TRUE(soon([&] { return acceptor->is_suspended(); }));
    const RawPeer client = connect();
    {
        const test::DescriptorFamine famine;
        acceptor->close(ListenerEnd::ours);
        for (int i = 0; i < 5; ++i) step();
        EXPECT_FALSE(acceptor->is_closed());
    }
    acceptor->try_again();
    EXPECT_TRUE(soon([&] { return acceptor->is_closed(); }));
    EXPECT_TRUE(is_placed(1));
}

TEST_F(AnAcceptor, ForcedItDoesNotWaitForDescriptors) {
    acceptor->suspend();
    EXPECT_TRUE(soon([&] { return acceptor->is_suspended(); }));
    RawPeer client = connect();
    {
        const test::DescriptorFamine famine;
        acceptor->close(ListenerEnd::ours);
        acceptor->close(ListenerEnd::ours);
        EXPECT_FALSE(acceptor->is_closed());
        acceptor->close(ListenerEnd::forced);
    }
    EXPECT_TRUE(acceptor->is_closed());
    client.read_to_end();
    EXPECT_EQ(client.ended(), test::Ended::by_reset) << "there was no way to serve it";
}

TEST_F(AnAcceptor, ForcedItServesWhomItCan) {
    const RawPeer client = connect();
    acceptor->close(ListenerEnd::forced);
    EXPECT_TRUE(soon([&] { return acceptor->is_closed(); }));
    EXPECT_TRUE(is_placed(1));
}

TEST_F(AnAcceptor, FreesWhoItAcceptsOfWhatTheListenerLeftThem) {
    listening->entrance().bar(Entrance::Bar::ttl);
    EXPECT_TRUE(system.require_ttl(listening->descriptor(0), 1));  // which every packet has
    const RawPeer client = connect();
    ASSERT_TRUE(soon([&] { return is_placed(1); }));
    int required = -1;
    socklen_t length = sizeof required;
    ::getsockopt(guests.accepted[0].number(), IPPROTO_IP, IP_MINTTL, &required, &length);
    EXPECT_EQ(required, 0);
}

}  // namespace
}  // namespace berth::net
