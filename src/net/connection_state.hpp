// SPDX-License-Identifier: MIT
//
// Connection states: the life of a stream as a pure table, without I/O.
//
// connection.cpp asks step() what an event means in the state it is in, and does what the answer
// says. Every pair is listed, so that a new state or event does not compile until each of its
// cases has been thought about. docs/internals/connection.md shows the picture.
//
//     connecting → open → flushing → lingering → closing → closed
//                     ↘ ending → ended ↗            (our half first: end())
//                     ↘ open_ended → flushing_ended (the peer's half first: its FIN)

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::net {

enum class ConnectionState : std::uint8_t {
    connecting,      // no answer yet
    open,            // both directions
    open_ended,      // the peer's FIN is in; we may still send
    ending,          // end(): our FIN goes out behind the queued output; the peer still sends
    ended,           // our FIN is out; the peer still sends and is read
    flushing,        // close: output goes out, input is discarded
    flushing_ended,  // the same, and the peer's FIN is in: nothing will be left to wait for
    lingering,       // our FIN is out; input is discarded until the peer's FIN
    closing,         // the driver closes the descriptor
    closed,
};
inline constexpr std::size_t kConnectionStates = 10;

enum class ConnectionEvent : std::uint8_t {
    connected,
    peer_end,  // the peer's FIN
    end,       // the handler ends our direction
    close,     // after flush
    abort,     // now, reset, an error, a deadline: close without waiting for anything
    flushed,   // the kernel has taken all output
    reaped,    // the driver's last completion
    refuse,    // accepted, but not wanted: an end in order, and nobody is told
};
inline constexpr std::size_t kConnectionEvents = 8;

enum class ConnectionEffect : std::uint8_t {
    nothing,
    open,        // call on_open
    tell_end,    // call on_end
    flush,       // see that the output goes out, then `flushed`
    send_fin,    // SHUT_WR; go on reading
    linger,      // SHUT_WR if not yet sent; wait for the peer's FIN, bounded
    close,       // the driver's close
    report,      // call on_close, free the slot
    impossible,  // a defect: the event cannot happen in this state
};

struct ConnectionStep {
    ConnectionState next;
    ConnectionEffect effect;
};

namespace table {

using S = ConnectionState;
using E = ConnectionEffect;
using Row = std::array<ConnectionStep, kConnectionEvents>;

// Columns: connected, peer_end, end, close, abort, flushed, reaped, refuse.
inline constexpr std::array<Row, kConnectionStates> kSteps{{
    // connecting
    {{{S::open, E::open},
      {S::connecting, E::impossible},
      {S::connecting, E::nothing},
      {S::closing, E::close},
      {S::closing, E::close},
      {S::connecting, E::impossible},
      {S::connecting, E::impossible},
      {S::flushing, E::flush}}},
    // open
    {{{S::open, E::impossible},
      {S::open_ended, E::tell_end},
      {S::ending, E::flush},
      {S::flushing, E::flush},
      {S::closing, E::close},
      {S::open, E::nothing},
      {S::open, E::impossible},
      {S::open, E::impossible}}},
    // open_ended
    {{{S::open_ended, E::impossible},
      {S::open_ended, E::impossible},
      {S::flushing_ended, E::flush},
      {S::flushing_ended, E::flush},
      {S::closing, E::close},
      {S::open_ended, E::nothing},
      {S::open_ended, E::impossible},
      {S::open_ended, E::impossible}}},
    // ending
    {{{S::ending, E::impossible},
      {S::flushing_ended, E::tell_end},
      {S::ending, E::nothing},
      {S::flushing, E::nothing},
      {S::closing, E::close},
      {S::ended, E::send_fin},
      {S::ending, E::impossible},
      {S::ending, E::impossible}}},
    // ended: with the peer's FIN nothing is left to do but to tell
    {{{S::ended, E::impossible},
      {S::flushing_ended, E::tell_end},
      {S::ended, E::nothing},
      {S::lingering, E::linger},
      {S::closing, E::close},
      {S::ended, E::nothing},
      {S::ended, E::impossible},
      {S::ended, E::impossible}}},
    // flushing
    {{{S::flushing, E::impossible},
      {S::flushing_ended, E::nothing},
      {S::flushing, E::nothing},
      {S::flushing, E::nothing},
      {S::closing, E::close},
      {S::lingering, E::linger},
      {S::flushing, E::impossible},
      {S::flushing, E::impossible}}},
    // flushing_ended
    {{{S::flushing_ended, E::impossible},
      {S::flushing_ended, E::impossible},
      {S::flushing_ended, E::nothing},
      {S::flushing_ended, E::nothing},
      {S::closing, E::close},
      {S::closing, E::close},
      {S::flushing_ended, E::impossible},
      {S::flushing_ended, E::impossible}}},
    // lingering
    {{{S::lingering, E::impossible},
      {S::closing, E::close},
      {S::lingering, E::nothing},
      {S::lingering, E::nothing},
      {S::closing, E::close},
      {S::lingering, E::nothing},
      {S::lingering, E::impossible},
      {S::lingering, E::impossible}}},
    // closing: only the driver's answer counts
    {{{S::closing, E::nothing},
      {S::closing, E::nothing},
      {S::closing, E::nothing},
      {S::closing, E::nothing},
      {S::closing, E::nothing},
      {S::closing, E::nothing},
      {S::closed, E::report},
      {S::closing, E::impossible}}},
    // closed
    {{{S::closed, E::impossible},
      {S::closed, E::impossible},
      {S::closed, E::nothing},
      {S::closed, E::nothing},
      {S::closed, E::nothing},
      {S::closed, E::nothing},
      {S::closed, E::impossible},
      {S::closed, E::impossible}}},
}};

}  // namespace table

constexpr ConnectionStep step(ConnectionState state, ConnectionEvent event) {
    return table::kSteps[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

// May the handler still queue output?
constexpr bool may_write(ConnectionState state) {
    return state == ConnectionState::open || state == ConnectionState::open_ended;
}

// Is input given to the handler (and not discarded)?
constexpr bool is_read(ConnectionState state) {
    return state == ConnectionState::open || state == ConnectionState::ending ||
           state == ConnectionState::ended;
}

// Does `flushed` have to be raised when the output is empty?
constexpr bool awaits_flush(ConnectionState state) {
    return state == ConnectionState::ending || state == ConnectionState::flushing ||
           state == ConnectionState::flushing_ended;
}

constexpr bool is_gone(ConnectionState state) { return state >= ConnectionState::closing; }

std::string_view to_string(ConnectionState state);

}  // namespace berth::net
