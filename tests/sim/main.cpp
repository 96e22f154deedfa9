// SPDX-License-Identifier: MIT
//
// berth-sim: random workloads on the production engine in a simulated kernel.
//
//     berth-sim --seconds 10                 as many seeds as fit
//     berth-sim --seed 4711                  one; if it fails, its shortest schedule
//     berth-sim --seed 4711 --keep 0,3,7 --verbose      the same, told step by step
//
// Exit status: 0 nothing found, 1 something found, 2 usage.

#include "sim/runs.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace {

using namespace berth::simulation;

struct Request {
    std::optional<std::uint64_t> seed;
    std::string kept;
    std::vector<std::size_t> keep;
    bool verbose = false;
    bool explains = true;  // shrinks what it finds
    Batch batch;
};

void add_options(CLI::App& app, Request& request) {
    Batch& batch = request.batch;
    app.add_option("--seed", request.seed, "Run this one, here");
    app.add_option("--seeds", batch.count, "Run so many");
    app.add_option("--from", batch.from, "The first of them");
    app.add_option("--seconds", batch.seconds, "Run for so long");
    app.add_flag("--until-found", batch.until_found, "Stop at the first that fails");
    app.add_option("--jobs", batch.jobs, "Processes; default: as many as cores")
        ->check(CLI::Range(1, 256));
    app.add_option("--kept", request.kept, "Run the seeds of this file")->check(CLI::ExistingFile);
    app.add_option("--keep", request.keep, "With --seed: these acts only")->delimiter(',');
    app.add_flag("--calm", batch.variation.calm, "Fine weather");
    app.add_option("--loops", batch.variation.loops, "At most so many loops");
    app.add_flag("--verbose", request.verbose, "With --seed: tell what happens");
    app.add_flag("!--no-shrink", request.explains, "Do not look for the shortest schedule");
}

// One seed a line; what follows a # is for people.
std::vector<std::uint64_t> read_seeds(const std::string& path) {
    std::vector<std::uint64_t> seeds;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        for (std::uint64_t seed = 0; words >> seed;) seeds.push_back(seed);
    }
    return seeds;
}

void print_command(std::uint64_t seed, const Variation& variation) {
    std::printf("repeat: build/dev/tests/sim/berth-sim --seed %llu",
                static_cast<unsigned long long>(seed));
    if (variation.keep) {
        std::string acts;
        for (const std::size_t act : *variation.keep) acts += std::to_string(act) + ",";
        if (!acts.empty()) acts.pop_back();
        std::printf(" --keep %s", acts.empty() ? "-" : acts.c_str());
    }
    if (variation.calm) std::printf(" --calm");
    if (variation.loops != 0) std::printf(" --loops %u", variation.loops);
    std::printf("\n");
}

void print(const Failure& failure, const Variation& variation) {
    std::printf("seed %llu: %s: %s\n", static_cast<unsigned long long>(failure.seed),
                failure.name.c_str(), failure.facts.c_str());
    print_command(failure.seed, variation);
}

void explain(const Failure& failure, const Variation& variation) {
    const Variation shortest = shrink(failure, variation);
    std::printf("\nthe shortest schedule:\n%s",
                to_string(make_schedule(failure.seed, shortest)).c_str());
    if (const auto again = run_apart(failure.seed, shortest)) print(*again, shortest);
}

int run_one(const Request& request) {
    const Variation& variation = request.batch.variation;
    if (request.verbose) {
        std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // a crash takes no line with it
        std::printf("%s", to_string(make_schedule(*request.seed, variation)).c_str());
    }
    const auto failure = request.verbose ? run_here(*request.seed, variation, true)
                                         : run_apart(*request.seed, variation);
    if (!failure) {
        std::printf("seed %llu: nothing found\n", static_cast<unsigned long long>(*request.seed));
        return 0;
    }
    print(*failure, variation);
    if (request.explains && !request.verbose && !variation.keep) explain(*failure, variation);
    return 1;
}

int run_many(Request& request) {
    Batch& batch = request.batch;
    if (!request.kept.empty()) batch.seeds = read_seeds(request.kept);
    const Outcome outcome = run_batch(batch);
    for (const Failure& failure : outcome.failures) print(failure, batch.variation);
    if (!outcome.failures.empty() && request.explains) {
        explain(outcome.failures.front(), batch.variation);
    }
    const double rate = static_cast<double>(outcome.runs) / outcome.seconds;
    std::printf("%llu seeds in %.1f s, %.0f per second and core, %zu failed\n",
                static_cast<unsigned long long>(outcome.runs), outcome.seconds, rate / batch.jobs,
                outcome.failures.size());
    return outcome.failures.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Random workloads on the production engine in a simulated kernel.", "berth-sim");
    Request request;
    request.batch.jobs = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN));
    add_options(app, request);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (!request.keep.empty()) request.batch.variation.keep = request.keep;
    return request.seed ? run_one(request) : run_many(request);
}
