// SPDX-License-Identifier: MIT
//
// Operations: readiness, as poll(2) would tell it, and the dice.

#include "driver/sim/operations.hpp"

#include <utility>

namespace berth::driver::sim {

// Memory for every turn of a poll, so that none is allocated later (1).
Operations::Operations(const Process& process, std::size_t turns_max)
    : process_(process), turns_max_(turns_max) {
    turns_.reserve(turns_max);
}

void Operations::add(Source& source) { source.next = std::exchange(first_, &source); }

void Operations::remove(const Source& source) {
    Source** link = &first_;
    while (*link != &source) link = &(*link)->next;
    *link = source.next;
}

bool Operations::any_due() const {
    for (const Source* source = first_; source != nullptr; source = source->next) {
        if (has(*source, kEnding) || is_ready(*source)) return true;
    }
    return false;
}

bool Operations::is_wanted(const Watched& watched, bool has_input, bool has_room) {
    return (watched.wants_input && has_input) || (watched.wants_room && has_room);
}

// Is there something that its turn would deliver? Never without: a poll would spin.
bool Operations::is_ready(const Source& source) const {
    if (has(source, kEnding) && !has(source, kAccepting)) return false;
    const Readiness now = process_.readiness(source.descriptor);
    const bool is_over = now.failed || now.hung_up;
    const bool has_input = now.readable || now.peer_ended || is_over;
    const bool has_room = now.writable || is_over;
    if (has(source, kFinishing)) return true;
    if (has(source, kWatched)) {
        return is_wanted(static_cast<const Watched&>(source), has_input, has_room);
    }
    if (has(source, kAccepting) || has(source, kDatagrams)) return has_input;
    if (has(source, kConnecting)) return has_room || source.error != 0;
    if (has(source, kSending) && has_room) return true;
    if (has(source, kReceiving)) return has_input && !has(source, kPaused);
    return now.failed;  // a reset after the FIN (8)
}

bool Operations::puts_off(Source& source) {
    Kernel& kernel = process_.kernel();
    const bool may_wait = !has(source, kLate) && !has(source, kWasLate);
    if (may_wait && kernel.happens(kernel.weather().late_completion)) {
        set(source, kLate);
        nobody_waits_ = false;
    }
    return has(source, kLate);
}

std::span<Source* const> Operations::choose_turns() {
    Kernel& kernel = process_.kernel();
    const std::size_t most = kernel.happens(kernel.weather().cut_short_poll) ? 1 : turns_max_;
    std::size_t seen = 0;
    turns_.clear();
    nobody_waits_ = true;
    for (Source* source = first_; source != nullptr; source = source->next) {
        if (has(*source, kLate)) set(*source, kWasLate);
        clear(*source, kLate);
        if (is_ready(*source) && !puts_off(*source)) choose(*source, ++seen, most);
    }
    if (seen > most) nobody_waits_ = false;
    for (Source* source : turns_) clear(*source, kWasLate);
    shuffle();
    return turns_;
}

// When there are more than `most`, all have the same chance: the n-th replaces one of those chosen
// before with probability most / n (Vitter's algorithm R).
void Operations::choose(Source& source, std::size_t seen, std::size_t most) {
    if (turns_.size() < most) {
        turns_.push_back(&source);
    } else if (const std::uint64_t at = process_.kernel().below(seen); at < most) {
        turns_[at] = &source;
    }
}

void Operations::shuffle() {
    for (std::size_t left = turns_.size(); left > 1; --left) {
        std::swap(turns_[left - 1], turns_[process_.kernel().below(left)]);
    }
}

Source* Operations::take_ended() {
    for (Source** link = &first_; *link != nullptr; link = &(*link)->next) {
        Source& source = **link;
        if (!has(source, kEnding) || puts_off(source)) continue;
        *link = source.next;
        return &source;
    }
    return nullptr;
}

}  // namespace berth::driver::sim
