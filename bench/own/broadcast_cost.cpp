// SPDX-License-Identifier: MIT
//
// broadcast_cost: what it costs to send one shared buffer to every connection of a loop.
//
//     broadcast_cost bare|epoll|uring COUNT    prints "listening PORT", and, once COUNT peers have
//                                              connected, "cost NANOSECONDS": CPU time per send
//
// `bare` is a loop of send(2) over the sockets. Ours is EventLoop::broadcast, until the batch that
// it was called in has ended and everything is with the kernel. The median of some rounds of 64
// bytes: a peer that never reads has room for all of them.

#include "../listening.hpp"

#include <berth/buffer.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>
#include <berth/options.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kRounds = 21;
const std::string kMessage(64, 'x');

// CPU time of this thread.
double now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void tell(std::vector<double> rounds, std::size_t count) {
    std::ranges::sort(rounds);
    std::printf("cost %.1f\n", rounds[rounds.size() / 2] / static_cast<double>(count));
}

// ── The bare loop ────────────────────────────────────────────────────────────────────────────

void measure_bare(std::size_t count) {
    const bench::Listening listening = bench::open_port(0, SOCK_STREAM);
    std::fflush(stdout);
    std::vector<int> peers(count);
    for (int& peer : peers) {
        peer = ::accept4(listening.socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        bench::require(peer >= 0, "accept4");
    }
    std::vector<double> rounds;
    for (std::size_t round = 0; round < kRounds; ++round) {
        const double began = now_ns();
        for (const int peer : peers) ::send(peer, kMessage.data(), kMessage.size(), MSG_NOSIGNAL);
        rounds.push_back(now_ns() - began);
    }
    tell(std::move(rounds), count);
}

// ── berth ────────────────────────────────────────────────────────────────────────────────────

class Broadcaster final : public berth::EventHandler {
public:
    explicit Broadcaster(std::size_t count) : count_(count) {}

    berth::Action on_open(berth::Connection& peer) override {
        if (++open_ == count_) peer.loop().post([this](berth::EventLoop& loop) { begin(loop); });
        return berth::Action::none;
    }

    void wait() const {
        while (!is_done_.load(std::memory_order_acquire)) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }
    const std::vector<double>& rounds() const { return rounds_; }

private:
    // Of two tasks the second one runs when the batch of the first has ended.
    void begin(berth::EventLoop& loop) {
        began_ = now_ns();
        loop.broadcast(buffer_);
        loop.post([this](berth::EventLoop& same) { end(same); });
    }
    void end(berth::EventLoop& loop) {
        rounds_.push_back(now_ns() - began_);
        if (rounds_.size() < kRounds) return begin(loop);
        is_done_.store(true, std::memory_order_release);
    }

    std::size_t count_;
    std::size_t open_ = 0;
    berth::Buffer buffer_ = berth::Buffer::copy_of(kMessage);
    double began_ = 0;
    std::vector<double> rounds_;
    std::atomic<bool> is_done_ = false;
};

int measure_berth(berth::DriverKind driver, std::size_t count) {
    Broadcaster handler(count);
    berth::Options options;
    options.loops = 1;
    options.driver = driver;
    berth::Engine engine(handler, options);
    const auto started = engine.start("tcp://127.0.0.1:0");
    if (!started) {
        std::fprintf(stderr, "broadcast_cost: %s\n", started.error().to_string().c_str());
        return EXIT_FAILURE;
    }
    std::printf("listening %s\n", engine.endpoints().at(0).to_string().c_str());
    std::fflush(stdout);
    handler.wait();
    tell(handler.rounds(), count);
    engine.request_stop(engine.now());
    return engine.wait() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view kind = argc == 3 ? argv[1] : "";
    const std::size_t count = argc == 3 ? std::stoul(argv[2]) : 0;
    if (kind == "epoll") return measure_berth(berth::DriverKind::epoll, count);
    if (kind == "uring") return measure_berth(berth::DriverKind::uring, count);
    if (kind == "bare") return measure_bare(count), EXIT_SUCCESS;
    std::fputs("usage: broadcast_cost bare|epoll|uring COUNT\n", stderr);
    return 2;
}
