// SPDX-License-Identifier: MIT
//
// The table of connection states, over any sequence of events that may happen.
//
// The world around the table is modelled by what it knows: whether the stream is connected,
// whether the peer's FIN is in, whether the handler has had enough. Whatever the sequence, the
// table says nothing impossible and nothing twice, and from everywhere the end can be reached.
//
// Input: events, one digit each, in the order of ConnectionEvent; those that cannot happen at
// that moment are left out.
//
//     0 connected   1 peer_end   2 end   3 close   4 abort   5 flushed   6 reaped   7 refuse

#include "choices.hpp"
#include "fuzz.hpp"
#include "net/connection_state.hpp"

#include <berth/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace berth::fuzz {

namespace {

using net::ConnectionEffect;
using net::ConnectionEvent;
using net::ConnectionState;

// The table is data: what of it an input reaches is told to the fuzzer here, as what it reaches
// of code is by the compiler.
[[gnu::section("__libfuzzer_extra_counters")]] std::array<
    std::uint8_t, net::kConnectionStates * net::kConnectionEvents> reached;

void reach(ConnectionState state, ConnectionEvent event) {
    reached[static_cast<std::size_t>(state) * net::kConnectionEvents +
            static_cast<std::size_t>(event)] = 1;
}

void once(bool& happened, const char* rule) {
    expect(!happened, rule);
    happened = true;
}

class Life {
public:
    bool may_happen(ConnectionEvent event) const {
        switch (event) {
            case ConnectionEvent::connected: return !connected_ && !reported_;
            case ConnectionEvent::refuse: return !connected_ && !closing_;  // in place of it
            case ConnectionEvent::peer_end: return connected_ && !peer_ended_ && !reported_;
            case ConnectionEvent::flushed: return connected_;
            case ConnectionEvent::reaped: return closing_ && !reported_;
            default: return true;  // the handler and the clock do as they like
        }
    }

    void happen(ConnectionEvent event) {
        reach(state_, event);
        const net::ConnectionStep step = net::step(state_, event);
        const bool was_writable = net::may_write(state_);
        if (closing_ && event != ConnectionEvent::reaped) {
            expect(step.next == state_ && step.effect == ConnectionEffect::nothing,
                   "once it closes only the driver's answer counts");
        }
        know(event);
        state_ = step.next;
        perform(step.effect, event);
        expect(was_writable || !net::may_write(state_) || event == ConnectionEvent::connected,
               "writing that is over does not begin again");
        expect(!net::is_read(state_) || !peer_ended_, "nothing is read behind the peer's FIN");
        expect(!net::may_write(state_) || !fin_sent_, "nothing is written behind our FIN");
        expect(net::is_gone(state_) == closing_, "it is gone from the driver's close on");
    }

    // What the peer, the kernel and the driver do by themselves once the handler closes.
    void end_by_itself() {
        happen(ConnectionEvent::close);
        if (net::awaits_flush(state_)) happen(ConnectionEvent::flushed);
        if (!net::is_gone(state_)) happen(ConnectionEvent::peer_end);
        if (!reported_) happen(ConnectionEvent::reaped);
        expect(state_ == ConnectionState::closed && reported_, "every way leads to the end");
    }

private:
    void know(ConnectionEvent event) {
        connected_ |= event == ConnectionEvent::connected || event == ConnectionEvent::refuse;
        peer_ended_ |= event == ConnectionEvent::peer_end;
    }

    void perform(ConnectionEffect effect, ConnectionEvent cause) {
        switch (effect) {
            case ConnectionEffect::nothing:
            case ConnectionEffect::flush: return;
            case ConnectionEffect::open: return once(opened_, "on_open is called once");
            case ConnectionEffect::tell_end:
                expect(opened_, "on_end comes after on_open");
                return once(told_end_, "on_end is called once");
            case ConnectionEffect::send_fin:
                expect(cause == ConnectionEvent::flushed, "our FIN goes out behind the output");
                return once(fin_sent_, "our FIN is sent once");
            case ConnectionEffect::linger:
                expect(fin_sent_ || cause == ConnectionEvent::flushed,
                       "our FIN goes out behind the output");
                expect(!peer_ended_, "only a FIN that is not in is waited for");
                fin_sent_ = true;
                return once(lingered_, "it lingers once");
            case ConnectionEffect::close: return once(closing_, "the driver closes once");
            case ConnectionEffect::report:
                expect(closing_, "on_close comes after the driver's answer");
                return once(reported_, "on_close is called once");
            case ConnectionEffect::impossible: expect(false, "what may happen is possible");
        }
    }

    ConnectionState state_ = ConnectionState::connecting;
    bool connected_ = false;
    bool peer_ended_ = false;
    bool opened_ = false;
    bool told_end_ = false;
    bool fin_sent_ = false;
    bool lingered_ = false;
    bool closing_ = false;
    bool reported_ = false;
};

}  // namespace

void try_input(Bytes input) {
    Life life;
    for (Choices choices(input); choices.left();) {
        const auto event = static_cast<ConnectionEvent>(choices.below(net::kConnectionEvents));
        if (life.may_happen(event)) life.happen(event);
    }
    life.end_by_itself();
}

}  // namespace berth::fuzz
