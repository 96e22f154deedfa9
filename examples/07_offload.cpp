// SPDX-License-Identifier: MIT
//
// Offload: slow questions, answered in order, while the loops stay free.
//
//     ./dev run 07_offload tcp://127.0.0.1:7000
//     nc 127.0.0.1 7000          # then: 30000000, and in another terminal: 10
//
// Shows:  work on a bounded pool of threads, answers in the order of the questions, back-pressure
//         when the pool is full, and a stop that waits for the answers.
// Next:   docs/guides/blocking-work.md

#include <berth/berth.hpp>

#include <charconv>
#include <cstddef>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

// Slow, and it may throw: what a loop has no time for.
std::string primes_below(std::string_view line) {
    constexpr std::size_t kMax = 100'000'000;
    std::size_t bound = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), bound);
    if (error != std::errc() || end != line.data() + line.size() || bound > kMax) {
        throw std::invalid_argument("a number up to " + std::to_string(kMax) + ", please");
    }
    std::vector<bool> is_composite(bound);
    std::size_t count = 0;
    for (std::size_t number = 2; number < bound; ++number) {
        if (is_composite[number]) continue;
        ++count;
        for (std::size_t at = number * number; at < bound; at += number) is_composite[at] = true;
    }
    return std::to_string(count) + " primes below " + std::to_string(bound);
}

class Offload final : public berth::EventHandler {
public:
    explicit Offload(berth::WorkPool pool) : pool_(std::move(pool)) {}

    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }
    berth::Action on_traffic(berth::Connection& peer) override {
        for (;;) {
            const std::string_view text = berth::as_text(peer.peek());
            const std::size_t length = text.find('\n');
            if (length == std::string_view::npos) return berth::Action::none;
            const bool is_taken = pool_.run(
                peer, [line = std::string(text.substr(0, length))] { return primes_below(line); },
                [](berth::Connection& back, const berth::Result<std::string>& answer) {
                    back.write(answer ? *answer : std::string(answer.error().detail()));
                    back.write("\n");
                });
            // No room: the line stays where it is, and we are called again when there is some.
            if (!is_taken) return berth::Action::none;
            peer.discard(length + 1);
        }
    }

private:
    berth::WorkPool pool_;
};

}  // namespace

int main(int argc, char** argv) {
    auto pool = berth::WorkPool::make({.threads = 2, .waiting_max = 64});
    if (!pool) {
        std::cerr << pool.error().to_string() << '\n';
        return 1;
    }
    Offload handler(std::move(*pool));
    const berth::Options options{.input_max = 64U << 10U};
    return berth::run(handler, argc > 1 ? argv[1] : "tcp://127.0.0.1:7000", options).exit_code();
}
