// SPDX-License-Identifier: MIT
//
// Timers: a clock that tells the time to everybody, and hangs up on who says nothing for too long.
//
//     ./dev run 04_timers tcp://127.0.0.1:7000
//     nc 127.0.0.1 7000          # type a line now and then, or be sent away
//
// Shows:  a beat per connection, a deadline that is taken back and set anew, a timer of the loop;
//         and that none of them outlives what it is for.
// Next:   docs/guides/time.md, with the timeouts that need no code at all.

#include <berth/berth.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace {

using namespace std::chrono_literals;

// What a connection remembers.
struct Guest {
    int seconds = 0;
    berth::TimerId bored;  // when it has said nothing for too long
};

struct Clock final : berth::EventHandler {
    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }
    void on_loop_start(berth::EventLoop& loop) override {
        loop.schedule_every(10s, [](berth::EventLoop& here) {
            std::cout << "loop " << here.index() << " serves " << here.connection_count() << '\n'
                      << std::flush;
        });
    }
    berth::Action on_open(berth::Connection& peer) override {
        peer.emplace_context<Guest>();
        peer.schedule_every(1s, [](berth::Connection& guest) {
            guest.write(std::to_string(++guest.context<Guest>()->seconds) + " s\n");
        });
        wait_for_a_word(peer);
        return berth::Action::none;
    }
    berth::Action on_traffic(berth::Connection& peer) override {
        peer.discard();
        peer.write("I am listening.\n");
        peer.loop().cancel(peer.context<Guest>()->bored);
        wait_for_a_word(peer);
        return berth::Action::none;
    }

private:
    static void wait_for_a_word(berth::Connection& peer) {
        peer.context<Guest>()->bored = peer.schedule_after(5s, [](berth::Connection& guest) {
            guest.write("You say nothing. Goodbye!\n");
            guest.close();
        });
    }
};

}  // namespace

int main(int argc, char** argv) {
    Clock clock;
    return berth::run(clock, argc > 1 ? argv[1] : "tcp://127.0.0.1:7000").exit_code();
}
