// SPDX-License-Identifier: MIT
//
// Sessions of datagrams on the production engine in a simulated kernel: peers that send what and
// when chance says, over a network that loses and delays; then a stop.
//
// Whatever happens: a session sees datagrams of its peer alone, each once and whole; a peer hears
// answers to what it sent, from whom it sent it to; there are no more sessions than there may be;
// one that idles ends, and not before; each that began ends, and the port is free.

#include "sim/chance.hpp"
#include "sim/stepped_engine.hpp"
#include "sim/stepping.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace berth::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPeers = 6;
constexpr std::size_t kSessionsMax = 4;
constexpr std::size_t kActs = 60;
constexpr Duration kIdle = 50ms;
constexpr Duration kPauseMax = 20ms;

// Answers each datagram with itself, and checks what it is called for.
class Echo final : public EventHandler {
public:
    explicit Echo(Chance chance) : chance_(chance) {}

    Action on_open(Connection& peer) override {
        EXPECT_TRUE(open_.emplace(peer.id(), peer.peer_endpoint().ip()).second);
        EXPECT_LE(open_.size(), kSessionsMax);
        heard_at_[peer.id()] = peer.loop().now();
        return chance_.one_in(20) ? Action::close : Action::none;
    }
    Action on_traffic(Connection& peer) override {
        const std::string text(as_text(peer.peek()));
        EXPECT_EQ(open_.at(peer.id()), peer.peer_endpoint().ip());
        EXPECT_TRUE(text.starts_with(peer.peer_endpoint().to_string() + ' ')) << text;
        EXPECT_TRUE(seen_.insert(text).second) << text;
        heard_at_[peer.id()] = peer.loop().now();
        peer.write(peer.peek());
        if (!chance_.one_in(3)) peer.discard();
        return chance_.one_in(15) ? Action::close : Action::none;
    }
    void on_close(Connection& peer, CloseReason reason) override {
        EXPECT_EQ(open_.erase(peer.id()), 1U);
        ++closed_;
        if (reason != CloseReason::idle_timeout) return;
        EXPECT_GE(peer.loop().now() - heard_at_.at(peer.id()), kIdle);
    }
    bool is_empty() const { return open_.empty(); }
    std::size_t closed() const { return closed_; }
    const std::set<std::string>& seen() const { return seen_; }

private:
    Chance chance_;
    std::map<ConnectionId, IpEndpoint> open_;
    std::map<ConnectionId, Instant> heard_at_;
    std::set<std::string> seen_;
    std::size_t closed_ = 0;
};

class Town {
public:
    explicit Town(std::uint64_t seed)
        : chance_(seed, 1),
          kernel_(seed, weather(chance_)),
          handler_(Chance(seed, 2)),
          engine_(kernel_, plan(), handler_, logger_),
          clients_(kernel_) {
        EXPECT_TRUE(engine_.start());
        server_ = engine_.engine().endpoints().at(0);
        for (std::optional<driver::Descriptor>& peer : peers_) {
            peer = *clients_.socket(sim::Family::v4, sim::Kind::datagram);
            EXPECT_TRUE(clients_.bind(*peer, *Endpoint::parse("udp://127.0.0.1:0")));
        }
    }

    void act() {
        for (std::size_t act = 0; act < kActs; ++act) {
            send(chance_.below(kPeers));
            const bool is_pause = chance_.one_in(10);
            run_until(kernel_.now() + (is_pause ? 4 * kIdle : chance_.duration(kPauseMax)));
        }
    }
    void idle_away() {
        run_until(kernel_.now() + 10 * kIdle);
        EXPECT_TRUE(handler_.is_empty());
    }
    void stop() {
        engine_.engine().request_stop();
        for (int turns = 0; turns < 1000 && engine_.is_running(); ++turns) {
            run_until(kernel_.now() + 10ms);
        }
        ASSERT_FALSE(engine_.is_running());
        EXPECT_EQ(engine_.report().outcome, StopOutcome::clean) << engine_.report().to_string();
        EXPECT_TRUE(engine_.report().listeners.at(0).released);
        EXPECT_EQ(engine_.engine().connection_count(), 0U);
        EXPECT_TRUE(handler_.is_empty());
    }
    // Nobody heard what he did not send, or what no session saw.
    void check_answers() {
        std::array<std::byte, 256> room{};
        for (const auto& peer : peers_) {
            const std::string name = name_of(*peer) + ' ';
            while (const auto letter = clients_.receive_from(*peer, room)) {
                const std::string text(as_text(Bytes(room).first(letter->size)));
                EXPECT_TRUE(text.starts_with(name)) << text;
                EXPECT_TRUE(handler_.seen().contains(text)) << text;
                EXPECT_EQ(letter->from.ip(), server_.ip());
                ++answers_;
            }
        }
    }
    std::size_t answers() const { return answers_; }
    std::size_t sessions() const { return handler_.closed(); }

private:
    static sim::Weather weather(Chance& chance) {
        return {.travel_max = chance.duration(5ms) + 1ns,
                .lost_datagram = chance.one_in(2) ? 10U : 0U,
                .partial_send = 3,
                .late_completion = chance.one_in(2) ? 4U : 0U,
                .cut_short_poll = chance.one_in(2) ? 4U : 0U};
    }
    static EnginePlan plan() {
        EnginePlan plan;
        plan.addresses.push_back({.listen = "udp://127.0.0.1:0", .dial = {}});
        plan.options.loops = 2;
        plan.options.datagrams = {
            .sessions = true, .session_idle = kIdle, .sessions_max = kSessionsMax};
        return plan;
    }
    std::string name_of(driver::Descriptor peer) {
        return clients_.local_endpoint(peer, Scheme::udp)->to_string();
    }
    void send(std::size_t index) {
        const driver::Descriptor peer = *peers_[index];
        const std::size_t count = chance_.between(1, 4);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string text = name_of(peer) + ' ' + std::to_string(++sent_);
            static_cast<void>(clients_.send_to(peer, server_, as_bytes(text)));
        }
    }
    // Who could go on does, in any order; when nobody can, time passes.
    void run_until(Instant until) {
        for (int steps = 0; steps < 100'000; ++steps) {
            std::vector<std::size_t> ready;
            for (std::size_t actor = 0; actor < engine_.actors(); ++actor) {
                if (engine_.is_ready(actor)) ready.push_back(actor);
            }
            if (!ready.empty()) {
                engine_.step(ready[chance_.below(ready.size())]);
                continue;
            }
            EXPECT_EQ(engine_.overslept(), "");
            const Instant then = std::min(kernel_.next_event(), engine_.next());
            kernel_.advance(std::max(std::min(then, until), kernel_.now()));
            if (then > until) return;
        }
        ADD_FAILURE() << "it does not come to rest";
    }

    Chance chance_;
    Silence logger_;
    sim::Kernel kernel_;
    Echo handler_;
    SteppedEngine engine_;
    sim::Process clients_;
    Endpoint server_;
    std::array<std::optional<driver::Descriptor>, kPeers> peers_;
    std::size_t sent_ = 0;
    std::size_t answers_ = 0;
};

TEST(SimulatedSessions, KeepTheirPromisesWhateverHappens) {
    std::size_t answers = 0;
    std::size_t sessions = 0;
    for (std::uint64_t seed = 1; seed <= 200 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Town town(seed);
        town.act();
        if (seed % 2 == 0) town.idle_away();
        town.stop();
        town.check_answers();
        answers += town.answers();
        sessions += town.sessions();
    }
    EXPECT_GT(answers, 1000U);  // it was worth it
    EXPECT_GT(sessions, 1000U);
}

}  // namespace
}  // namespace berth::simulation
