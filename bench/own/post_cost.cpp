// SPDX-License-Identifier: MIT
//
// post_cost: what it costs to hand a task to a loop from another thread, beside a bare push.
//
//     post_cost [TASKS]       one line of JSON, times in nanoseconds
//
// `bare` is the least that any design must do: an intrusive list whose nodes are there before,
// pushed by one compare-and-swap. `posted` is EventLoop::post. Both are measured in bursts, which
// the consumer takes meanwhile, as under load: it has a CPU of its own, if there are two, and does
// not sleep. `latency` is the median from a post to a loop that sleeps to its task: a wake-up of
// the kernel's, for the most part.

#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>
#include <berth/options.hpp>

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBurst = 1000;
constexpr std::size_t kLatencies = 1000;
constexpr std::size_t kRounds = 31;
constexpr berth::Duration kAwake = std::chrono::milliseconds{10};  // far above a round's pauses

double nanoseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::nano>(duration).count();
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values,
                             values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

// This thread, and those that it begins from now on, on the first or second of the CPUs that were
// allowed to the process. With one CPU all share it.
void use_cpu(int place) {
    static const cpu_set_t allowed = [] {
        cpu_set_t set;
        sched_getaffinity(0, sizeof set, &set);
        return set;
    }();
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed) || place-- != 0) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(cpu, &own);
        sched_setaffinity(0, sizeof own, &own);
        return;
    }
}

// ── The bare list ────────────────────────────────────────────────────────────────────────────

struct Node {
    Node* next = nullptr;
    std::uint64_t payload = 0;
};

// The nodes of each burst lie in an array; the consumer never sleeps.
double bare_push(std::size_t bursts) {
    std::atomic<Node*> head = nullptr;
    std::atomic<std::size_t> taken = 0;
    std::atomic<bool> is_over = false;
    use_cpu(1);
    std::thread consumer([&] {
        while (!is_over.load(std::memory_order_relaxed)) {
            std::this_thread::yield();  // as a loop that asks its kernel between two looks
            Node* node = head.exchange(nullptr, std::memory_order_acquire);
            std::size_t count = 0;
            for (; node != nullptr; node = node->next) count += node->payload;
            if (count > 0) taken.fetch_add(count, std::memory_order_release);
        }
    });
    use_cpu(0);
    std::vector<Node> nodes(kBurst);
    std::vector<double> costs;
    for (std::size_t burst = 1; burst <= bursts; ++burst) {
        const auto began = Clock::now();
        for (Node& node : nodes) {
            node.payload = 1;
            node.next = head.load(std::memory_order_relaxed);
            while (!head.compare_exchange_weak(node.next, &node, std::memory_order_release)) {
            }
        }
        costs.push_back(nanoseconds(Clock::now() - began) / kBurst);
        while (taken.load(std::memory_order_acquire) < burst * kBurst) {
        }
    }
    is_over = true;
    consumer.join();
    return median(costs);
}

// ── berth ────────────────────────────────────────────────────────────────────────────────────

struct Idle final : berth::EventHandler {
    std::atomic<berth::EventLoop*> loop = nullptr;
    void on_loop_start(berth::EventLoop& started) override { loop = &started; }
};

double posted(berth::EventLoop& loop, std::size_t bursts) {
    std::atomic<std::size_t> ran = 0;
    std::vector<double> costs;
    for (std::size_t burst = 1; burst <= bursts; ++burst) {
        const auto began = Clock::now();
        for (std::size_t each = 0; each < kBurst; ++each) {
            loop.post([&ran](berth::EventLoop&) { ran.fetch_add(1, std::memory_order_release); });
        }
        costs.push_back(nanoseconds(Clock::now() - began) / kBurst);
        while (ran.load(std::memory_order_acquire) < burst * kBurst) {
        }
    }
    return median(costs);
}

double latency(berth::EventLoop& loop) {
    std::vector<double> took;
    for (std::size_t each = 0; each < kLatencies; ++each) {
        // The loop had its last task; give it the time to fall asleep.
        const auto asleep = Clock::now() + std::chrono::microseconds{100};
        while (Clock::now() < asleep) {
        }
        std::atomic<bool> has_run = false;
        Clock::time_point ran_at;
        const auto began = Clock::now();
        loop.post([&](berth::EventLoop&) {
            ran_at = Clock::now();
            has_run.store(true, std::memory_order_release);
        });
        while (!has_run.load(std::memory_order_acquire)) {
        }
        took.push_back(nanoseconds(ran_at - began));
    }
    return median(took);
}

// An engine with one loop, which never sleeps for less than `busy_poll`.
class Served {
public:
    Served(berth::DriverKind driver, berth::Duration busy_poll)
        : engine_(handler_, options(driver, busy_poll)) {
        use_cpu(1);
        const auto started = engine_.start("tcp://127.0.0.1:0");
        use_cpu(0);
        if (!started) {
            std::fprintf(stderr, "post_cost: %s\n", started.error().to_string().c_str());
            std::exit(EXIT_FAILURE);
        }
        while (handler_.loop == nullptr) {
        }
    }
    ~Served() {
        engine_.request_stop();
        static_cast<void>(engine_.wait());
    }
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;

    berth::EventLoop& loop() { return *handler_.loop; }

private:
    static berth::Options options(berth::DriverKind driver, berth::Duration busy_poll) {
        berth::Options options;
        options.loops = 1;
        options.driver = driver;
        options.busy_poll = busy_poll;
        return options;
    }

    Idle handler_;
    berth::Engine engine_;
};

void measure(berth::DriverKind driver, const char* name, std::size_t bursts) {
    std::vector<double> bare;
    std::vector<double> ours;
    for (std::size_t round = 0; round < kRounds; ++round) {
        bare.push_back(bare_push(bursts));  // its consumer shares its CPU with no loop
        ours.push_back(posted(Served(driver, kAwake).loop(), bursts));
    }
    Served asleep(driver, berth::Duration{0});
    std::printf("{\"driver\": \"%s\", \"bare\": %.1f, \"posted\": %.1f, \"latency\": %.0f}\n", name,
                median(bare), median(ours), latency(asleep.loop()));
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t tasks = argc > 1 ? std::stoul(argv[1]) : 10'000;
    const std::size_t bursts = std::max<std::size_t>(1, tasks / kBurst);
    measure(berth::DriverKind::epoll, "epoll", bursts);
    measure(berth::DriverKind::uring, "uring", bursts);
}
