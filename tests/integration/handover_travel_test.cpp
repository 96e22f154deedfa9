// SPDX-License-Identifier: MIT
//
// Live connections in a handover: who is idle goes on in the next generation, and who cannot is
// served to the end in this one.

#include "integration/support_generations.hpp"
#include "integration/support_other_generation.hpp"
#include "support/gate.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

class TravelToSuccessor : public Generations {
protected:
    // Both generations let everybody travel, with a word of who they are.
    static void let_travel(Generation& generation) {
        generation.script.travel_out = [](Connection& peer) {
            return Buffer::copy_of("port " + std::to_string(peer.peer_endpoint().port()));
        };
        generation.script.travel_in = [](Connection&, Bytes) { return Action::none; };
    }
    static std::size_t count(const Generation& generation, CloseReason reason) {
        return static_cast<std::size_t>(std::ranges::count(generation.script.reasons(), reason));
    }
    // Clients that have been served once.
    static std::vector<RawPeer> connect_all(const Generation& generation, std::size_t count) {
        std::vector<RawPeer> clients;
        for (std::size_t i = 0; i < count; ++i) {
            clients.push_back(connect(generation));
            EXPECT_EQ(said_back(clients.back()), "hello");
        }
        return clients;
    }
};

TEST_F(TravelToSuccessor, IdleClientsGoOnInTheNextGeneration) {
    Generation old(without_probation());
    Generation young(options());
    let_travel(old);
    let_travel(young);
    ASSERT_TRUE(old.start(kAnyPort));
    auto clients = connect_all(old, 100);
    ASSERT_TRUE(young.start({old.address()}));
    const auto report = old.engine().wait();
    EXPECT_EQ(report->outcome, StopOutcome::handed_over) << report->to_string();
    EXPECT_EQ(count(old, CloseReason::handed_over), clients.size());
    EXPECT_EQ(young.script.count("on_import"), clients.size());
    for (RawPeer& client : clients) EXPECT_EQ(said_back(client, "still here"), "still here");
    EXPECT_EQ(young.script.count("on_open"), 0U);
    EXPECT_EQ(young.engine().connection_count(), clients.size());
    EXPECT_EQ(old.engine().connection_count(), 0U);
}

TEST_F(TravelToSuccessor, TheirStateAndTheirUnreadInputComeAlong) {
    Generation old(without_probation());
    Generation young(options());
    let_travel(old);
    old.script.traffic = [](Connection&) { return Action::none; };  // reads nothing
    std::string state;
    young.script.travel_in = [&](Connection& peer, Bytes bytes) {
        state = as_text(bytes);
        peer.write(peer.next());
        return Action::none;
    };
    ASSERT_TRUE(old.start(kAnyPort));
    RawPeer client = connect(old);
    client.send("half a li");
    ASSERT_TRUE(eventually([&] { return old.script.count("on_traffic") > 0; }));
    ASSERT_TRUE(young.start({old.address()}));
    EXPECT_EQ(client.read(9), "half a li");
    ASSERT_TRUE(is_in(old, EngineState::stopped));
    young.engine().stop().value();  // then what its loop has noted can be read here
    EXPECT_EQ(state, "port " + std::to_string(client.address().port));
}

TEST_F(TravelToSuccessor, WhoDoesNotWantToIsDrained) {
    Generation old(without_probation());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    auto clients = connect_all(old, 3);
    ASSERT_TRUE(young.start({old.address()}));
    for (RawPeer& client : clients) {
        EXPECT_EQ(client.read_to_end(), "");
        EXPECT_EQ(client.ended(), Ended::by_fin);
        client.close();
    }
    ASSERT_TRUE(is_in(old, EngineState::stopped));
    EXPECT_EQ(count(old, CloseReason::handed_over), 0U);
}

TEST_F(TravelToSuccessor, UnixClientsTravelToo) {
    Generation old(without_probation());
    Generation young(options());
    let_travel(old);
    let_travel(young);
    ASSERT_TRUE(old.start({unix_address()}));
    auto clients = connect_all(old, 5);
    ASSERT_TRUE(young.start({unix_address()}));
    ASSERT_TRUE(is_in(old, EngineState::stopped));
    for (RawPeer& client : clients) EXPECT_EQ(said_back(client, "still"), "still");
}

TEST_F(TravelToSuccessor, ThroughManyGenerationsNobodyNotices) {
    auto first = std::make_unique<Generation>(without_probation());
    let_travel(*first);
    ASSERT_TRUE(first->start(kAnyPort));
    auto clients = connect_all(*first, 20);
    for (int round = 0; round < 5; ++round) {
        auto next = std::make_unique<Generation>(without_probation());
        let_travel(*next);
        ASSERT_TRUE(next->start({first->address()}));
        ASSERT_TRUE(is_in(*first, EngineState::stopped));
        ASSERT_TRUE(eventually([&] { return next->says("step=predecessor_ended"); }));
        first = std::move(next);
        for (RawPeer& client : clients) EXPECT_EQ(said_back(client, "again"), "again");
    }
}

// ── A successor that does not take them ──────────────────────────────────────────────────────

class Passengers : public TravelToSuccessor {
protected:
    Passengers() { let_travel(old); }
    void SetUp() override {
        ASSERT_TRUE(old.start(kAnyPort));
        clients = connect_all(old, 24);  // some on each of two loops
        young.find(path());
        young.say(handover::Hello{.process = 1});
        young.hear<handover::Offer>();
        young.say(handover::Adopted{.adopted = 2, .returned = 0});
        young.say(handover::Ready{});
        young.hear<handover::Commit>();
    }
    void expect_service() {
        for (RawPeer& client : clients) EXPECT_EQ(said_back(client, "still here"), "still here");
    }

    Generation old{without_probation()};
    OtherGeneration young;
    std::vector<RawPeer> clients;
};

TEST_F(Passengers, AreTheOldOnesAgainIfTheSuccessorDies) {
    young.hear<handover::Passenger>();
    young.leave();
    EXPECT_TRUE(is_in(old, EngineState::ready));
    expect_service();
    EXPECT_EQ(old.script.count("on_import"), clients.size());
}

TEST_F(Passengers, AreTheOldOnesAgainIfTheSuccessorStops) {
    young.hear<handover::Passenger>();
    young.say(handover::Rollback{});
    EXPECT_TRUE(is_in(old, EngineState::ready));
    expect_service();
}

// One loop is late: the other's passengers have gone, and come back, before it answers.
class LatePassengers : public Passengers {
protected:
    LatePassengers() {
        old.script.travel_out = [this](Connection& peer) -> std::optional<Buffer> {
            if (peer.id().loop() == 1) static_cast<void>(rolled_back.pass());
            return Buffer();
        };
    }
    Gate rolled_back;
};

TEST_F(LatePassengers, AreTheOldOnesAgainToo) {
    young.hear<handover::Passenger>();
    young.say(handover::Rollback{});
    EXPECT_TRUE(is_in(old, EngineState::ready));
    for (std::size_t i = 0; i < clients.size(); ++i) rolled_back.open();
    expect_service();
}

TEST_F(Passengers, WhoAreRefusedAreDrainedWhereTheyCameFrom) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
        const auto passenger = young.hear<handover::Passenger>();
        young.say(handover::Imported{.serial = passenger.serial, .is_taken = false});
    }
    young.hear<handover::Final>();
    for (RawPeer& client : clients) {
        EXPECT_EQ(client.read_to_end(), "");
        EXPECT_EQ(client.ended(), Ended::by_fin);
        client.close();
    }
    EXPECT_TRUE(is_in(old, EngineState::stopped));
}

}  // namespace
}  // namespace berth::test
