// SPDX-License-Identifier: MIT
//
// Draft: a script while it is written, and what its author believes of each socket.
//
// The author believes that every call succeeds.
//
// Lifetime:  within its Chance's.

#pragma once

#include "differential/chance.hpp"
#include "differential/machine.hpp"
#include "differential/step.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace berth::differential {

enum class State : std::uint8_t { fresh, bound, listening, connected, closed };

struct Belief {
    Family family = Family::v4;
    Kind kind = Kind::stream;
    State state = State::fresh;
    Place place{};              // where it was bound
    std::deque<int> waiting{};  // of a listener: who has connected and was not accepted
    int listener = kNoSlot;     // of a connection that was accepted
    int peer = kNoSlot;         // of a connection
    int unread = 0;             // how many sends of the peer
    int sent = 0;
};

class Draft {
public:
    explicit Draft(Chance& chance) : chance_(chance) {}

    const Script& script() const { return script_; }
    int slots() const { return static_cast<int>(beliefs_.size()); }
    const Belief& at(int slot) const { return beliefs_[static_cast<std::size_t>(slot)]; }

    // ── Choosing ─────────────────────────────────────────────────────────────────────────────
    // A slot of which `is_likely` holds, or now and then any that is not closed; or none.
    template <class Likely>
    int pick(Likely is_likely);
    int pick_state(State state);
    int pick_reader();
    int pick_any() {
        return pick([](const Belief&) { return true; });
    }
    Place place_for(Family family);
    // How a client of `family` would reach `target`.
    Place place_to(Family family, int target);
    Place path() { return {.host = Host::path, .name = any_name()}; }

    // ── One call, and what it makes the author believe ───────────────────────────────────────
    void add(const Step& step) { script_.push_back(step); }
    int open(Family family, Kind kind);
    int open_listener(Family family, const Place& place, int backlog);
    void bind(int slot, const Place& place);
    void listen(int slot, int backlog);
    void connect(int slot, int target, const Place& place);
    void accept(int listener);
    void send(const Step& step);
    void close(int slot);

private:
    static constexpr unsigned kLegalPercent = 85;

    Belief& belief(int slot) { return beliefs_[static_cast<std::size_t>(slot)]; }
    int new_slot(const Belief& belief);
    int any_port();
    int any_name();

    Chance& chance_;
    Script script_;
    std::vector<Belief> beliefs_;
};

template <class Likely>
int Draft::pick(Likely is_likely) {
    const bool is_legal = chance_.percent(kLegalPercent);
    std::vector<int> candidates;
    for (std::size_t slot = 0; slot < beliefs_.size(); ++slot) {
        const Belief& belief = beliefs_[slot];
        if (belief.state == State::closed || (is_legal && !is_likely(belief))) continue;
        candidates.push_back(static_cast<int>(slot));
    }
    return candidates.empty() ? kNoSlot : candidates[chance_.below(candidates.size())];
}

}  // namespace berth::differential
