// SPDX-License-Identifier: MIT
//
// Connection states: every event in every state, and what must hold for all of them.

#include "net/connection_state.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace berth::net {
namespace {

using enum ConnectionState;
using Event = ConnectionEvent;
using Effect = ConnectionEffect;

std::vector<ConnectionState> states() {
    std::vector<ConnectionState> all;
    for (std::size_t i = 0; i < kConnectionStates; ++i) {
        all.push_back(static_cast<ConnectionState>(i));
    }
    return all;
}

std::vector<Event> events() {
    std::vector<Event> all;
    for (std::size_t i = 0; i < kConnectionEvents; ++i) all.push_back(static_cast<Event>(i));
    return all;
}

// The whole table once more, as someone would tell it: what is missing here changes no state.
struct Rule {
    ConnectionState from;
    Event event;
    ConnectionState to;
    Effect effect;
};

constexpr std::array kRules{
    Rule{connecting, Event::connected, open, Effect::open},
    Rule{connecting, Event::close, closing, Effect::close},
    Rule{connecting, Event::abort, closing, Effect::close},
    Rule{connecting, Event::refuse, flushing, Effect::flush},

    Rule{open, Event::peer_end, open_ended, Effect::tell_end},
    Rule{open, Event::end, ending, Effect::flush},
    Rule{open, Event::close, flushing, Effect::flush},
    Rule{open, Event::abort, closing, Effect::close},

    Rule{open_ended, Event::end, flushing_ended, Effect::flush},
    Rule{open_ended, Event::close, flushing_ended, Effect::flush},
    Rule{open_ended, Event::abort, closing, Effect::close},

    Rule{ending, Event::peer_end, flushing_ended, Effect::tell_end},
    Rule{ending, Event::close, flushing, Effect::nothing},
    Rule{ending, Event::abort, closing, Effect::close},
    Rule{ending, Event::flushed, ended, Effect::send_fin},

    Rule{ended, Event::peer_end, flushing_ended, Effect::tell_end},
    Rule{ended, Event::close, lingering, Effect::linger},
    Rule{ended, Event::abort, closing, Effect::close},

    Rule{flushing, Event::peer_end, flushing_ended, Effect::nothing},
    Rule{flushing, Event::abort, closing, Effect::close},
    Rule{flushing, Event::flushed, lingering, Effect::linger},

    Rule{flushing_ended, Event::abort, closing, Effect::close},
    Rule{flushing_ended, Event::flushed, closing, Effect::close},

    Rule{lingering, Event::peer_end, closing, Effect::close},
    Rule{lingering, Event::abort, closing, Effect::close},

    Rule{closing, Event::reaped, closed, Effect::report},
};

const Rule* rule_of(ConnectionState state, Event event) {
    for (const Rule& rule : kRules) {
        if (rule.from == state && rule.event == event) return &rule;
    }
    return nullptr;
}

// Pairs that only a defect of a driver, or of ours, can bring about.
bool is_impossible(ConnectionState state, Event event) {
    const bool has_ended = state == open_ended || state == flushing_ended;
    switch (event) {
        case Event::connected: return state != connecting && state != closing;
        case Event::peer_end: return state == connecting || has_ended || state == closed;
        case Event::flushed: return state == connecting;
        case Event::refuse: return state != connecting;
        case Event::reaped: return state != closing;
        default: return false;
    }
}

std::string name(ConnectionState state, Event event) {
    return std::string(to_string(state)) + " + event " +
           std::to_string(static_cast<unsigned>(event));
}

TEST(ConnectionState, FollowsTheRules) {
    for (const ConnectionState state : states()) {
        for (const Event event : events()) {
            const Rule* rule = rule_of(state, event);
            if (rule == nullptr) continue;
            EXPECT_EQ(step(state, event).next, rule->to) << name(state, event);
            EXPECT_EQ(step(state, event).effect, rule->effect) << name(state, event);
        }
    }
}

TEST(ConnectionState, WhatIsNotARuleChangesNothing) {
    for (const ConnectionState state : states()) {
        for (const Event event : events()) {
            if (rule_of(state, event) != nullptr) continue;
            EXPECT_EQ(step(state, event).next, state) << name(state, event);
            EXPECT_EQ(step(state, event).effect,
                      is_impossible(state, event) ? Effect::impossible : Effect::nothing)
                << name(state, event);
        }
    }
}

TEST(ConnectionState, AbortLeadsToTheEndFromEverywhere) {
    for (const ConnectionState state : states()) {
        EXPECT_TRUE(is_gone(step(state, Event::abort).next)) << to_string(state);
    }
}

TEST(ConnectionState, CloseLeadsToTheEndWithoutFurtherHelpOfTheHandler) {
    for (ConnectionState state : states()) {
        state = step(state, Event::close).next;
        if (state == flushing || state == flushing_ended) state = step(state, Event::flushed).next;
        if (state == lingering) state = step(state, Event::peer_end).next;
        EXPECT_TRUE(is_gone(state)) << to_string(state);
    }
}

TEST(ConnectionState, NothingIsWrittenOrReadOnceItCloses) {
    for (const ConnectionState state : states()) {
        const ConnectionState after = step(state, Event::close).next;
        EXPECT_FALSE(may_write(after)) << to_string(state);
        EXPECT_FALSE(is_read(after)) << to_string(state);
    }
}

TEST(ConnectionState, EndForbidsWritingAndNotReading) {
    EXPECT_FALSE(may_write(step(open, Event::end).next));
    EXPECT_TRUE(is_read(step(open, Event::end).next));
    EXPECT_TRUE(is_read(step(ending, Event::flushed).next));
}

TEST(ConnectionState, WhereFlushedIsAwaitedItChangesTheState) {
    for (const ConnectionState state : states()) {
        EXPECT_EQ(awaits_flush(state), step(state, Event::flushed).next != state)
            << to_string(state);
    }
}

TEST(ConnectionState, ReportsOnceAndLast) {
    std::size_t reports = 0;
    for (const ConnectionState state : states()) {
        for (const Event event : events()) {
            const ConnectionStep taken = step(state, event);
            if (taken.effect != Effect::report) continue;
            ++reports;
            EXPECT_EQ(taken.next, closed);
        }
    }
    EXPECT_EQ(reports, 1U);
    for (const Event event : events()) EXPECT_EQ(step(closed, event).next, closed);
}

TEST(ConnectionState, HasANameForEachState) {
    std::set<std::string_view> names;
    for (const ConnectionState state : states()) names.insert(to_string(state));
    EXPECT_EQ(names.size(), kConnectionStates);
    EXPECT_EQ(names.count("unknown"), 0U);
}

}  // namespace
}  // namespace berth::net
