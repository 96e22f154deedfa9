// SPDX-License-Identifier: MIT
//
// Runs: running schedules: one, many on all cores, or one ever shorter.
//
// Many run in processes of their own, so that a crash or a hang costs one seed, and names it.
//
// Threads:   one per process.

#pragma once

#include "sim/schedule.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth::simulation {

// What is wrong with a seed.
struct Failure {
    std::uint64_t seed = 0;
    std::string name;  // of the invariant, or "signal 6"
    std::string facts;
};

std::optional<Failure> run_here(std::uint64_t seed, const Variation& variation, bool verbose);
// In a process of its own.
std::optional<Failure> run_apart(std::uint64_t seed, const Variation& variation);

struct Batch {
    std::vector<std::uint64_t> seeds;  // these, or else
    std::uint64_t from = 1;            // all from this one on,
    std::optional<std::uint64_t> count;
    std::optional<double> seconds;
    bool until_found = false;
    unsigned jobs = 1;
    Variation variation;
};

struct Outcome {
    std::uint64_t runs = 0;
    double seconds = 0;
    std::vector<Failure> failures;  // not all, if there are many
};

Outcome run_batch(const Batch& batch);

// The shortest schedule found that fails in the same way.
Variation shrink(const Failure& failure, const Variation& variation);

}  // namespace berth::simulation
