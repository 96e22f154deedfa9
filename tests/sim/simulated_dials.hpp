// SPDX-License-Identifier: MIT
//
// SimulatedDials: a client in simulated time that dials a name, and what became of that.

#pragma once

#include "sim/stepped_engine.hpp"
#include "sim/stepping.hpp"
#include "support/scripted_resolver.hpp"

#include <berth/event_loop.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth::simulation {

// What a dial came to, and when.
class Witness final : public EventHandler {
public:
    Action on_open(Connection& peer) override {
        opened = peer.loop().now();
        peer_seen = peer.peer_endpoint();
        return Action::none;
    }
    void on_connect_failed(EventLoop& loop, ConnectionId, const Error& error) override {
        failed = loop.now();
        text = error.to_string();
    }
    bool is_told() const { return opened || failed; }

    std::optional<Instant> opened;
    std::optional<Instant> failed;
    Endpoint peer_seen;
    std::string text;
};

class SimulatedDials : public testing::Test {
protected:
    static constexpr std::uint16_t kPort = 80;

    SimulatedDials() {
        names_.at_question = [this](std::size_t) { asked_at_.push_back(kernel_.now()); };
        EXPECT_TRUE(client_.start());
    }
    ~SimulatedDials() override {
        client_.engine().request_stop(kernel_.now());
        run([this] { return !client_.is_running(); });
        EXPECT_FALSE(client_.is_running());
        EXPECT_EQ(client_.process().descriptors_open(), 0U) << "nothing is left open";
    }

    // A listener there; a silent one drops what comes.
    void listen(const std::string& host, bool is_silent = false) {
        IpEndpoint ip = test::ip_of(host);
        ip.port = kPort;
        const Endpoint at(ip.family == 4 ? Scheme::tcp4 : Scheme::tcp6, ip);
        const driver::Descriptor socket = *server_.open_socket(at);
        EXPECT_TRUE(server_.bind(socket, at));
        EXPECT_TRUE(server_.listen(socket, 16));
        if (is_silent) {
            EXPECT_TRUE(server_.drop_everything(socket));
        }
    }
    void dial(DialOptions how = {}, const std::string& scheme = "tcp") {
        begun_ = kernel_.now();
        EXPECT_TRUE(client_.engine().connect(
            *Destination::parse(scheme + "://server.test:" + std::to_string(kPort)),
            std::move(how)));
    }
    template <class Done>
    void run(Done&& is_done, Instant end = Instant::never()) {
        simulation::run(kernel_, client_, std::forward<Done>(is_done), end);
    }
    void run_until_told() {
        run([this] { return witness_.is_told(); });
    }
    // Until so long after the dial.
    void run_to(Duration after) {
        run([] { return false; }, begun_ + after);
        EXPECT_EQ(now(), begun_ + after);
    }
    Instant now() const { return kernel_.now(); }
    Duration taken() const { return *witness_.opened - begun_; }

    test::ScriptedResolver names_;
    std::vector<Instant> asked_at_;
    Witness witness_;
    Instant begun_;

private:
    sim::Kernel kernel_{1};
    sim::Process host_{kernel_};
    sim::SimSystem server_{host_};
    Silence silence_;
    SteppedEngine client_{
        kernel_,
        {.options = {.loops = 1, .resolver = &names_}, .bounds = {}, .addresses = {}},
        witness_,
        silence_};
};

}  // namespace berth::simulation
