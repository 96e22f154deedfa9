// SPDX-License-Identifier: MIT
//
// Findings: what a run found wrong, and what it has to tell.
//
// A violation does not throw: it may be found inside a callback, and the engine would catch it.
// The world looks after every step, and ends at the first.

#pragma once

#include <berth/clock.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace berth::simulation {

struct Violation {
    std::string name;   // of the invariant: "fin-after-truncation"
    std::string facts;  // what was there, and what should have been
};

class Findings {
public:
    explicit Findings(bool verbose) : verbose_(verbose) {}

    void violated(std::string name, std::string facts) {
        violations_.push_back({std::move(name), std::move(facts)});
    }
    bool any() const { return !violations_.empty(); }
    const std::vector<Violation>& violations() const { return violations_; }

    // One line of the trace; `text()` is only called if somebody reads it.
    template <class Text>
    void trace(Instant now, Text&& text) const {
        if (verbose_) print(now, std::forward<Text>(text)());
    }

private:
    static void print(Instant now, const std::string& text);

    bool verbose_;
    std::vector<Violation> violations_;
};

}  // namespace berth::simulation
