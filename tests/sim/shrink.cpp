// SPDX-License-Identifier: MIT
//
// Shrink: ever fewer acts, then calmer weather, then fewer loops, as long as it fails as before.
//
// Delta debugging (Zeller, Hildebrandt 2002): leave out halves, then quarters, … then single acts.

#include "sim/runs.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace berth::simulation {

namespace {

class Shrinker {
public:
    Shrinker(const Failure& failure, const Variation& variation)
        : failure_(failure), best_(variation) {
        for (const Act& act : make_schedule(failure.seed, variation).acts) {
            acts_.push_back(act.index);
        }
    }

    Variation shrink() {
        leave_out_acts();
        Variation calmer = best_;
        calmer.calm = true;
        if (try_it(acts_, calmer)) leave_out_acts();
        for (unsigned loops = 1; loops < 3; ++loops) {
            Variation fewer = best_;
            fewer.loops = loops;
            if (try_it(acts_, fewer)) break;
        }
        leave_out_acts();
        best_.keep = acts_;
        return best_;
    }

private:
    bool try_it(const std::vector<std::size_t>& acts, const Variation& candidate) {
        Variation whole = candidate;
        whole.keep = acts;
        const auto failure = run_apart(failure_.seed, whole);
        if (!failure || failure->name != failure_.name) return false;
        acts_ = acts;
        best_ = candidate;
        return true;
    }

    void leave_out_acts() {
        for (std::size_t size = std::max<std::size_t>(acts_.size() / 2, 1); size > 0; size /= 2) {
            for (std::size_t begin = 0; begin < acts_.size();) {
                if (!leave_out(begin, size)) begin += size;
            }
        }
    }

    bool leave_out(std::size_t begin, std::size_t count) {
        std::vector<std::size_t> fewer;
        for (std::size_t i = 0; i < acts_.size(); ++i) {
            if (i < begin || i >= begin + count) fewer.push_back(acts_[i]);
        }
        return try_it(fewer, best_);
    }

    Failure failure_;
    std::vector<std::size_t> acts_;
    Variation best_;  // but for its acts
};

}  // namespace

Variation shrink(const Failure& failure, const Variation& variation) {
    return Shrinker(failure, variation).shrink();
}

}  // namespace berth::simulation
