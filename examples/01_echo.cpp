// SPDX-License-Identifier: MIT
//
// Echo: the smallest complete server.
//
//     ./dev run 01_echo tcp://127.0.0.1:7000
//     printf 'hello\n' | nc -q1 127.0.0.1 7000
//
// Shows:  a handler, back-pressure without a line of code, and a graceful stop: SIGTERM lets
//         every client finish, and the exit status says whether that worked.
// Next:   02_chat.cpp, where connections talk to each other.

#include <berth/berth.hpp>

#include <iostream>

namespace {

struct Echo final : berth::EventHandler {
    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }
    berth::Action on_traffic(berth::Connection& peer) override {
        peer.write(peer.peek());
        peer.discard();
        return berth::Action::none;
    }
};

}  // namespace

int main(int argc, char** argv) {
    Echo echo;
    return berth::run(echo, argc > 1 ? argv[1] : "tcp://127.0.0.1:7000").exit_code();
}
