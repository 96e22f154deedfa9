// SPDX-License-Identifier: MIT
//
// Agenda: entered, struck, and done in order.

#include "driver/sim/agenda.hpp"

#include <berth/clock.hpp>

#include <utility>

namespace berth::driver::sim {

Agenda::Entry Agenda::enter(Instant when, Deed deed) {
    const Entry entry{when, ++entered_};
    later_.emplace_hint(later_.end(), entry, std::move(deed));
    return entry;
}

void Agenda::do_next() { later_.extract(later_.begin()).mapped()(); }

void Agenda::do_now() {
    while (!now_.empty()) {
        Deed deed = std::move(now_.front());
        now_.pop_front();
        deed();
    }
}

void Timer::start(Instant when, Agenda::Deed deed) {
    stop();
    is_running_ = true;
    entry_ = agenda_.enter(when, [this, act = std::move(deed)]() mutable {
        is_running_ = false;
        act();
    });
}

void Timer::stop() {
    if (std::exchange(is_running_, false)) agenda_.strike(entry_);
}

}  // namespace berth::driver::sim
