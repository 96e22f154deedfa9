// SPDX-License-Identifier: MIT
//
// Runs: processes, and what they share.

#include "sim/runs.hpp"

#include "sim/world.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <new>

namespace berth::simulation {

namespace {

constexpr unsigned kSecondsPerSeed = 30;  // of real time; then it hangs
constexpr unsigned kFailuresMax = 12;
constexpr std::size_t kJobsMax = 256;

// Seen by all processes of a batch.
struct Shared {
    std::atomic<std::uint64_t> next{0};
    std::atomic<std::uint64_t> done{0};
    std::atomic<unsigned> failures{0};
    std::array<std::atomic<std::uint64_t>, kJobsMax> current{};  // the seed of each job
};

class Pipe {
public:
    Pipe() { static_cast<void>(::pipe(ends_.data())); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close_writing();
        ::close(ends_[0]);
    }
    void close_writing() {
        if (ends_[1] >= 0) ::close(ends_[1]);
        ends_[1] = -1;
    }
    // One line: at most PIPE_BUF, so that lines of several writers do not mix.
    void write(const Failure& failure) const {
        std::string line = std::to_string(failure.seed) + " " + failure.name + " " + failure.facts;
        std::erase(line, '\n');
        line.resize(std::min<std::size_t>(line.size(), 2000));
        line += '\n';
        static_cast<void>(::write(ends_[1], line.data(), line.size()));
    }
    std::vector<Failure> read_all() {
        close_writing();
        std::string text;
        std::array<char, 4096> room{};
        for (ssize_t count = 0; (count = ::read(ends_[0], room.data(), room.size())) > 0;) {
            text.append(room.data(), static_cast<std::size_t>(count));
        }
        return parse(text);
    }

private:
    static std::vector<Failure> parse(const std::string& text) {
        std::vector<Failure> failures;
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = text.find('\n', begin);
            const std::string line = text.substr(begin, end - begin);
            const std::size_t name = line.find(' ') + 1;
            const std::size_t facts = line.find(' ', name) + 1;
            failures.push_back({.seed = std::stoull(line),
                                .name = line.substr(name, facts - name - 1),
                                .facts = line.substr(facts)});
            begin = end + 1;
        }
        return failures;
    }

    std::array<int, 2> ends_{};
};

bool is_crash(int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; }

// A sanitizer ends the process with a status, not with a signal.
Failure crash(std::uint64_t seed, int status) {
    if (WIFEXITED(status)) {
        return {.seed = seed,
                .name = "status-" + std::to_string(WEXITSTATUS(status)),
                .facts = "it ended in the middle"};
    }
    const int signal = WTERMSIG(status);
    return {.seed = seed,
            .name = "signal-" + std::to_string(signal),
            .facts = signal == SIGALRM ? "it hangs" : "it crashed"};
}

class Jobs {
public:
    explicit Jobs(const Batch& batch)
        : batch_(batch),
          began_(std::chrono::steady_clock::now()),
          memory_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
          shared_(*::new(memory_) Shared) {}
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;
    ~Jobs() { ::munmap(memory_, sizeof(Shared)); }

    Outcome run() {
        for (std::size_t job = 0; job < batch_.jobs; ++job) begin(job);
        while (!jobs_.empty()) wait();
        Outcome outcome{.runs = shared_.done, .seconds = seconds(), .failures = crashes_};
        for (Failure& failure : results_.read_all()) outcome.failures.push_back(failure);
        return outcome;
    }

private:
    void begin(std::size_t job) {
        std::fflush(nullptr);
        const pid_t child = ::fork();
        if (child == 0) {
            work(job);
            std::fflush(nullptr);
            ::_exit(0);
        }
        jobs_[child] = job;
    }

    void wait() {
        int status = 0;
        const pid_t child = ::wait(&status);
        const auto found = jobs_.find(child);
        if (found == jobs_.end()) return;
        const std::size_t job = found->second;
        jobs_.erase(found);
        if (!is_crash(status)) return;
        crashes_.push_back(crash(shared_.current[job], status));
        ++shared_.failures;
        if (!is_over()) begin(job);
    }

    void work(std::size_t job) {
        while (!is_over()) {
            const auto seed = next_seed();
            if (!seed) return;
            shared_.current[job] = *seed;
            ::alarm(kSecondsPerSeed);
            const auto failure = run_here(*seed, batch_.variation, false);
            ::alarm(0);
            ++shared_.done;
            if (!failure) continue;
            if (++shared_.failures <= kFailuresMax) results_.write(*failure);
        }
    }

    std::optional<std::uint64_t> next_seed() {
        const std::uint64_t index = shared_.next++;
        if (!batch_.seeds.empty()) {
            if (index >= batch_.seeds.size()) return {};
            return batch_.seeds[index];
        }
        if (batch_.count && index >= *batch_.count) return {};
        return batch_.from + index;
    }

    bool is_over() const {
        const unsigned failures = shared_.failures;
        return failures >= kFailuresMax || (batch_.until_found && failures > 0) ||
               (batch_.seconds && seconds() >= *batch_.seconds);
    }

    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    }

    const Batch& batch_;
    std::chrono::steady_clock::time_point began_;
    void* memory_;
    Shared& shared_;
    Pipe results_;
    std::map<pid_t, std::size_t> jobs_;
    std::vector<Failure> crashes_;
};

}  // namespace

std::optional<Failure> run_here(std::uint64_t seed, const Variation& variation, bool verbose) {
    auto schedule = std::make_unique<Schedule>(make_schedule(seed, variation));
    auto world = std::make_unique<World>(*schedule, verbose);
    world->run();
    if (!world->findings().any()) return {};
    const Violation& first = world->findings().violations().front();
    Failure failure{.seed = seed, .name = first.name, .facts = first.facts};
    // Its engines run still, and would wait for threads that they do not have.
    static_cast<void>(world.release());
    static_cast<void>(schedule.release());
    return failure;
}

std::optional<Failure> run_apart(std::uint64_t seed, const Variation& variation) {
    Pipe results;
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(kSecondsPerSeed);
        if (const auto failure = run_here(seed, variation, false)) results.write(*failure);
        ::_exit(0);
    }
    results.close_writing();
    int status = 0;
    ::waitpid(child, &status, 0);
    if (is_crash(status)) return crash(seed, status);
    auto failures = results.read_all();
    if (failures.empty()) return {};
    return failures.front();
}

Outcome run_batch(const Batch& batch) { return Jobs(batch).run(); }

}  // namespace berth::simulation
