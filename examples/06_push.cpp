// SPDX-License-Identifier: MIT
//
// Push: everybody who is connected is told the time, ten times a second.
//
//     ./dev run 06_push tcp://127.0.0.1:7000
//     nc 127.0.0.1 7000
//
// Shows:  a tick on every loop, one shared block written to all connections of a loop without a
//         copy, and what to do with those who do not keep up: they miss some.
// Next:   07_offload.cpp, work that would block a loop.

#include <berth/berth.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace {

// A connection is told nothing while it owes more than this: a feed that is late is worth nothing.
constexpr std::size_t kBehindMax = 4096;

struct Push final : berth::EventHandler {
    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }
    berth::Action on_traffic(berth::Connection& peer) override {
        peer.discard();  // nobody is asked anything
        return berth::Action::none;
    }
    berth::Duration on_tick(berth::EventLoop& loop) override {
        const auto since = std::chrono::floor<std::chrono::milliseconds>(
            std::chrono::system_clock::now().time_since_epoch());
        const auto line = berth::Buffer::adopt(std::to_string(since.count()) + "\n");
        loop.for_each([&](berth::Connection& peer) {
            if (peer.unsent() <= kBehindMax) peer.write(line.share());
        });
        return std::chrono::milliseconds{100};
    }
};

}  // namespace

int main(int argc, char** argv) {
    Push push;
    return berth::run(push, argc > 1 ? argv[1] : "tcp://127.0.0.1:7000").exit_code();
}
