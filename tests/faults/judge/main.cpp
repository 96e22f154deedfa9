// SPDX-License-Identifier: MIT
//
// berth_faults: lets every system call of an engine fail, one by one, in every plausible way.
//
//     berth_faults                            all of it, for both drivers and both ways to stop
//     berth_faults --quick                    the first outcome of each call, n up to 3
//     berth_faults --stop forced --call send --nth 2 --error EPIPE      one run
//     berth_faults --driver uring --nth 0 --tell [WORD…]
//                                             no fault; tells what happened, and how often each
//                                             call was made; WORD… go before the server: strace
//                                             and its options
//
// A run is a server process that starts, serves guests, and stops; the guests live here. The nth
// call of a kind fails, for every n until a run does not come so far. After each run the verdict
// says what must hold. Exit status: 0 it held; 1 it did not; 2 wrong usage.

#include "faults/judge/run.hpp"
#include "faults/judge/verdict.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {
namespace {

struct Wanted {
    std::vector<Over> drivers{Over::epoll, Over::uring};
    std::vector<Stop> stops{Stop::graceful, Stop::forced};
    std::string call;
    std::optional<std::uint64_t> nth;
    std::string error;
    bool is_quick = false;
    bool tells = false;
    std::vector<std::string> prefix;
};

std::string_view name_of(Over driver) { return driver == Over::epoll ? "epoll" : "uring"; }

std::string_view name_of(Stop stop) { return stop == Stop::graceful ? "graceful" : "forced"; }

std::string_view name_of(const Outcome& outcome) {
    return outcome.errno_value == kShort ? "short" : ::strerrorname_np(outcome.errno_value);
}

class Enumeration {
public:
    explicit Enumeration(Wanted wanted) : wanted_(std::move(wanted)) {
        command_ = {.program = BERTH_FAULTY_SERVER, .prefix = wanted_.prefix};
    }

    bool run() {
        for (const Over driver : wanted_.drivers) {
            command_.uses_uring = driver == Over::uring;
            if (driver == Over::uring && !has_uring()) continue;
            for (const Stop stop : wanted_.stops) run(driver, stop);
            if (wanted_.nth == 0) break;
        }
        fmt::print("{} runs, {} violations\n", runs_, violations_);
        return violations_ == 0;
    }

private:
    // A kernel without it, or a filter, is no violation.
    bool has_uring() {
        const ServerCommand plain{.program = command_.program, .prefix = {}, .uses_uring = true};
        static_cast<void>(run_once(plain, shared_, Fault{}, Stop::graceful));
        const NotedError& error = shared_.board().start_error;
        if (error.happened) fmt::print("skipped io_uring: {}\n", error.text.text());
        return !error.happened;
    }

    void run(Over driver, Stop stop) {
        if (wanted_.nth == 0) return static_cast<void>(run(stop, kCalls[0], {}, 0));
        for (const CallRow& row : kCalls) {
            if (row.over != driver) continue;
            if (!wanted_.call.empty() && row.name != wanted_.call) continue;
            run(stop, row);
        }
    }

    // Every outcome at every n.
    void run(Stop stop, const CallRow& row) {
        const std::size_t before = runs_;
        std::uint64_t reached = 0;
        for (const Outcome& outcome : row) {
            if (!wanted_.error.empty() && name_of(outcome) != wanted_.error) continue;
            reached = std::max(reached, run(stop, row, outcome));
            if (wanted_.is_quick) break;
        }
        fmt::print("{} {:8} {:15} {:3} calls, {:4} runs\n", name_of(row.over), name_of(stop),
                   row.name, reached, runs_ - before);
        std::fflush(stdout);
    }

    // How often the call was reached. Two runs of one schedule may differ by some calls.
    std::uint64_t run(Stop stop, const CallRow& row, const Outcome& outcome) {
        if (wanted_.nth) return run(stop, row, outcome, *wanted_.nth) ? *wanted_.nth : 0;
        std::uint64_t reached = 0;
        for (std::uint64_t nth = 1; nth <= bound() && nth - reached <= 2; ++nth) {
            if (run(stop, row, outcome, nth)) reached = nth;
        }
        if (reached == 0) {
            ++violations_;
            fmt::print("VIOLATION the scenario never comes to {} {}\n", row.name, name_of(outcome));
        }
        return reached;
    }

    std::uint64_t bound() const { return wanted_.is_quick ? 3 : 10'000; }

    // One run. Was the fault reached?
    bool run(Stop stop, const CallRow& row, const Outcome& outcome, std::uint64_t nth) {
        ++runs_;
        const Fault fault{.call = row.call, .nth = nth, .outcome = outcome};
        const RunResult result = run_once(command_, shared_, fault, stop);
        const Board& board = shared_.board();
        for (const std::string& violation : violations(board, result, stop)) {
            ++violations_;
            fmt::print("VIOLATION {}\n    berth_faults --stop {} --call {} --nth {} --error {}\n",
                       violation, name_of(stop), row.name, nth, name_of(outcome));
        }
        if (wanted_.tells) tell(board, result);
        return board.is_reached;
    }

    static void tell(const Board& board, const RunResult& result) {
        const NotedError& error = board.start_error;
        fmt::print("end {}\n", error.happened ? error.text.text() : to_string(board.outcome));
        for (const Guest& guest : result.guests) {
            fmt::print("guest {} {}\n", guest.role(),
                       guest.is_content() ? "content" : guest.trouble());
        }
        for (std::size_t row = 0; row < kCalls.size(); ++row) {
            fmt::print("count {} {} {}\n", static_cast<long>(kCalls[row].call), kCalls[row].name,
                       board.made[row].load());
        }
    }

    Wanted wanted_;
    ServerCommand command_;
    SharedBoard shared_;
    std::size_t runs_ = 0;
    std::size_t violations_ = 0;
};

// False: no such flag.
bool take_flag(Wanted& wanted, std::string_view name) {
    if (name == "--quick") return wanted.is_quick = true;
    if (name == "--tell") return wanted.tells = true;
    return false;
}

bool take_value(Wanted& wanted, std::string_view name, const std::string& value) {
    if (name == "--driver") {
        wanted.drivers = {value == "uring" ? Over::uring : Over::epoll};
    } else if (name == "--stop") {
        wanted.stops = {value == "forced" ? Stop::forced : Stop::graceful};
    } else if (name == "--call") {
        wanted.call = value;
    } else if (name == "--nth") {
        wanted.nth = std::stoull(value);
    } else if (name == "--error") {
        wanted.error = value;
    } else {
        return false;
    }
    return true;
}

std::optional<Wanted> read(const std::vector<std::string>& words) {
    Wanted wanted;
    for (auto word = words.begin(); word != words.end(); ++word) {
        if (!word->starts_with("--")) {
            wanted.prefix.assign(word, words.end());
            break;
        }
        if (take_flag(wanted, *word)) continue;
        const auto name = word++;
        if (word == words.end() || !take_value(wanted, *name, *word)) return std::nullopt;
    }
    return wanted;
}

}  // namespace
}  // namespace berth::test

int main(int argc, char** argv) {
    ::setenv("BERTH_TEST_PATIENCE_MS", "3000", 0);  // of guests; well below the bound of a run
    auto wanted = berth::test::read({argv + 1, argv + argc});
    if (!wanted) {
        fmt::print(stderr, "usage: the first lines of tests/faults/judge/main.cpp\n");
        return 2;
    }
    return berth::test::Enumeration(std::move(*wanted)).run() ? 0 : 1;
}
