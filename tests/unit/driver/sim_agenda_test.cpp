// SPDX-License-Identifier: MIT
//
// SimAgenda: what is due first happens first, what is due together in the order of entry.

#include "driver/sim/agenda.hpp"

#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <string>

namespace berth::driver::sim {
namespace {

class SimAgenda : public testing::Test {
protected:
    Agenda::Deed note(char name) {
        return [this, name] { done += name; };
    }
    static Instant at(int nanoseconds) { return {Duration{nanoseconds}}; }

    Agenda agenda;
    std::string done;
};

TEST_F(SimAgenda, GoesByTimeAndThenByEntry) {
    agenda.enter(at(2), note('c'));
    agenda.enter(at(1), note('a'));
    agenda.enter(at(2), note('d'));
    agenda.enter(at(1), note('b'));
    EXPECT_EQ(agenda.next(), at(1));
    while (!agenda.next().is_never()) agenda.do_next();
    EXPECT_EQ(done, "abcd");
}

TEST_F(SimAgenda, DoesWhatTakesNoTimeWithAllThatItCauses) {
    agenda.enter_now([this] {
        note('a')();
        agenda.enter_now(note('c'));
    });
    agenda.enter_now(note('b'));
    agenda.do_now();
    EXPECT_EQ(done, "abc");
}

TEST_F(SimAgenda, TimerKeepsOneAppointmentAndItsEndCancelsIt) {
    {
        Timer timer{agenda};
        timer.start(at(1), note('a'));
        timer.start(at(2), note('b'));
        EXPECT_EQ(agenda.next(), at(2));
        EXPECT_TRUE(timer.is_running());
        agenda.do_next();
        EXPECT_FALSE(timer.is_running());
        timer.start(at(3), note('c'));
    }
    EXPECT_TRUE(agenda.next().is_never());
    EXPECT_EQ(done, "b");
}

TEST_F(SimAgenda, TimerMayStartAnewFromItsOwnDeed) {
    Timer timer{agenda};
    timer.start(at(1), [&] { timer.start(at(2), note('x')); });
    agenda.do_next();
    EXPECT_EQ(agenda.next(), at(2));
}

}  // namespace
}  // namespace berth::driver::sim
