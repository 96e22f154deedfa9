// SPDX-License-Identifier: MIT
//
// Datagrams: who sends one gets it back, numbered for him, until he has been silent for a while.
//
//     ./dev run 10_datagrams udp://127.0.0.1:7000
//     nc -u 127.0.0.1 7000
//
// Shows:  a udp listener with sessions: a peer is a Connection from its first datagram on, with a
//         context, an idle timeout and an on_close; each datagram is one on_traffic, each write
//         one datagram. Without sessions on_datagram would be enough for an echo.

#include <berth/berth.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace {

struct Tally {
    berth::Action on_traffic(berth::Connection& peer) {
        peer.write(std::to_string(++count_) + ' ' + std::string(berth::as_text(peer.next())));
        return berth::Action::none;
    }
    berth::Action on_drain(berth::Connection& peer, berth::Deadline) {
        peer.write("goodbye\n");
        return berth::Action::close;
    }

private:
    int count_ = 0;
};

struct Server final : berth::SessionHandler<Tally> {
    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }
};

}  // namespace

int main(int argc, char** argv) {
    Server server;
    const berth::DatagramOptions datagrams{.sessions = true,
                                           .session_idle = std::chrono::seconds{30}};
    return berth::run(server, argc > 1 ? argv[1] : "udp://127.0.0.1:7000", {.datagrams = datagrams})
        .exit_code();
}
