// SPDX-License-Identifier: MIT
//
// Operations: what a SimDriver has in flight, and what of it completes in a poll.
//
// Nothing here depends on the sink. As with io_uring a source is looked at until its last
// completion, and chance decides whose turn comes first, and whose not yet: a completion is put
// off once at most before it comes.
//
// Lifetime:  lists the sources of its driver, and owns none.
// Threads:   the driver's.

#pragma once

#include "driver/driver.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/process.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace berth::driver::sim {

// Bits of Source::odd: what is in flight.
enum InFlight : std::uint8_t {
    kAccepting = 1,
    kConnecting = 2,
    kReceiving = 4,  // until the FIN or an error was reported
    kSending = 8,    // a send_when_ready
    kPaused = 16,    // pause_receive
    kEnding = 32,    // closed or stopped: the last completion is missing
    kDatagrams = 64,
    kFinishing = 128,  // datagrams: what the kernel has is still delivered
};

// Bits of Source::state: what is known.
enum Known : std::uint8_t {
    kPutOff = 1,    // the budget ended its last turn
    kLate = 2,      // put off by chance, in this poll
    kWasLate = 4,   // or in an earlier one, and has not come since
    kByReset = 8,   // Ending::reset
    kWatched = 16,  // none of those in flight: readiness is told, and that is all
};

constexpr bool has(const Source& source, InFlight bit) { return (source.odd & bit) != 0; }
constexpr bool has(const Source& source, Known bit) { return (source.state & bit) != 0; }
constexpr void set(Source& source, InFlight bit) { source.odd |= bit; }
constexpr void set(Source& source, Known bit) { source.state |= bit; }
constexpr void clear(Source& source, InFlight bit) {
    source.odd &= static_cast<std::uint8_t>(~bit);
}
constexpr void clear(Source& source, Known bit) { source.state &= static_cast<std::uint8_t>(~bit); }

constexpr bool may_receive(const Stream& stream) {
    return (stream.odd & (kReceiving | kPaused | kEnding)) == kReceiving;
}

class Operations {
public:
    Operations(const Process& process, std::size_t turns_max);

    void add(Source& source);
    void remove(const Source& source);

    // Would a poll deliver anything?
    bool any_due() const;
    // Those that have a turn in this poll, in the order of their turns.
    std::span<Source* const> choose_turns();
    // The next whose last completion is due, taken out; null when there is none.
    Source* take_ended();
    // Was nobody put off since choose_turns(), by its bound or by chance?
    bool nobody_waits() const { return nobody_waits_; }

private:
    static bool is_wanted(const Watched& watched, bool has_input, bool has_room);
    bool is_ready(const Source& source) const;
    bool puts_off(Source& source);
    void choose(Source& source, std::size_t seen, std::size_t most);
    void shuffle();

    const Process& process_;
    std::size_t turns_max_;
    Source* first_ = nullptr;
    std::vector<Source*> turns_;
    bool nobody_waits_ = false;
};

}  // namespace berth::driver::sim
