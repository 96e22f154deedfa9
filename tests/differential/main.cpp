// SPDX-License-Identifier: MIT
//
// berth-differential: random sequences of socket calls, on Linux and on the simulated kernel.
//
// Exit status: 0 they agree, 1 they differ, 2 wrong usage.

#include "differential/comparison.hpp"
#include "differential/exceptions.hpp"
#include "differential/generator.hpp"
#include "differential/network.hpp"
#include "differential/shrink.hpp"
#include "differential/step.hpp"
#include "support/temp_dir.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

namespace differential = berth::differential;
using differential::Script;
using differential::Site;
using differential::Verdict;

// What a sequence leaves in TIME_WAIT is in the way of the later ones that get the same port; of
// so few they hardly ever do.
constexpr std::uint64_t kSequencesPerNetwork = 25;

struct Tally {
    std::size_t sequences = 0;
    std::size_t operations = 0;
    std::size_t differences = 0;
    std::size_t unclear = 0;  // ports were repeated by chance in every run
    std::vector<std::size_t> exceptions_used =
        std::vector<std::size_t>(differential::exceptions().size());
    std::map<std::string, std::size_t> kinds;       // of differences: told once each
    std::map<std::uint64_t, std::string> unsteady;  // by seed: seen in one run, not in the next
};

void print_lines(const Verdict& verdict) {
    std::size_t width = 0;
    for (const auto& line : verdict.lines) width = std::max(width, line.step.size());
    for (const auto& line : verdict.lines) {
        const bool is_same = line.real == line.simulated;
        std::cout << "    " << line.step << std::string(width + 2 - line.step.size(), ' ')
                  << line.real << (is_same ? "" : "   | simulated: " + line.simulated) << '\n';
    }
}

// `s12` becomes `s`: which socket it was does not matter.
std::string without_slots(const std::string& text) {
    std::string kept;
    bool is_in_slot = false;
    for (const char letter : text) {
        const bool is_digit = letter >= '0' && letter <= '9';
        if (is_in_slot && is_digit) continue;
        is_in_slot = letter == 's';
        kept += letter;
    }
    return kept;
}

// The same for the same difference about other sockets.
std::string kind_of(const differential::Difference& difference) {
    const std::string text =
        difference.about + ": " + difference.real + " | " + difference.simulated;
    return without_slots(text);
}

// Shrinks, and prints what is not of a kind already told.
void tell(const Script& script, const Site& site, Tally& tally) {
    const auto still_differs = [&](const Script& shorter) {
        return judge(shorter, site).difference.has_value();
    };
    const Verdict shrunk = judge(shrink(script, still_differs), site);
    if (!shrunk.difference) {
        std::cout << "\nSeed " << site.seed << " differs, but what was left of it did only once\n";
        return;
    }
    if (++tally.kinds[kind_of(*shrunk.difference)] > 1) return;
    std::cout << "\nDifference in " << shrunk.difference->about
              << " (repeat: berth-differential --seed " << site.seed << ")\n";
    print_lines(shrunk);
    std::cout << std::flush;
}

void run(const Site& site, Tally& tally) {
    const Script script = differential::script_of(site.seed);
    const Verdict verdict = judge(script, site);
    ++tally.sequences;
    tally.operations += verdict.operations;
    for (std::size_t i = 0; i < verdict.exceptions_used.size(); ++i) {
        tally.exceptions_used[i] += verdict.exceptions_used[i];
    }
    if (verdict.unsteady) tally.unsteady[site.seed] = kind_of(*verdict.unsteady);
    if (verdict.port_repeated) {
        ++tally.unclear;
    } else if (verdict.difference) {
        ++tally.differences;
        tell(script, site, tally);
    }
}

void print(const Tally& tally) {
    std::cout << '\n'
              << tally.sequences << " sequences, " << tally.operations << " operations, "
              << tally.differences << " with a difference (" << tally.kinds.size() << " kinds), "
              << tally.unsteady.size() << " that differed only sometimes, " << tally.unclear
              << " whose ports were repeated by chance\n";
    std::cout << "exceptions used:\n";
    for (std::size_t i = 0; i < tally.exceptions_used.size(); ++i) {
        const auto& exception = differential::exceptions()[i];
        std::cout << "    " << tally.exceptions_used[i] << "  " << exception.name << ": "
                  << exception.reason << " (" << exception.reference << ")\n";
    }
    for (const auto& [seed, kind] : tally.unsteady) {
        std::cout << "only sometimes, --seed " << seed << ": " << kind << '\n';
    }
    for (const auto& [kind, count] : tally.kinds) {
        std::cout << "difference, " << count << " times: " << kind << '\n';
    }
}

// Every step of one sequence, with both answers.
int show(const Site& site) {
    const Verdict verdict = compare(differential::script_of(site.seed), site);
    print_lines(verdict);
    return verdict.difference ? 1 : 0;
}

int compare_many(std::uint64_t from, std::uint64_t count, const std::string& directory) {
    Tally tally;
    for (std::uint64_t seed = from; seed < from + count; ++seed) {
        if (seed != from && (seed - from) % kSequencesPerNetwork == 0) {
            differential::enter_fresh_network();
        }
        run({.seed = seed, .directory = directory}, tally);
    }
    print(tally);
    return tally.differences == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Compares random socket calls on Linux and on the simulated kernel"};
    std::uint64_t from = 0;
    std::uint64_t count = 1000;
    std::uint64_t seed = 0;
    app.add_option("--from", from, "the first seed");
    app.add_option("--sequences", count, "how many sequences");
    const auto* one = app.add_option("--seed", seed, "show this one sequence, call by call");
    CLI11_PARSE(app, argc, argv);

    const berth::test::TempDir directory;
    const bool is_alone = differential::enter_fresh_network();
    std::cout << (is_alone ? "In a network namespace of its own\n"
                           : "On this machine's loopback: no network namespace permitted\n");
    if (one->count() > 0) return show({.seed = seed, .directory = directory.path()});
    return compare_many(from, count, directory.path());
}
