// SPDX-License-Identifier: MIT
//
// ConnectionCore::take_turn: one callback of the handler, and what follows from it.
//
// A template, so that the message path is one straight line of code; included by the
// connection_*.cpp files only.

#pragma once

#include "net/connection_core.hpp"
#include "net/connection_table.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace berth::net {

template <class Call>
[[gnu::always_inline]] inline void ConnectionCore::take_turn(Callback callback, Call&& call) {
    last_activity_ = table_.loop().now();  // a turn may write, and that is activity
    take_turn_with(kept_.view(), callback, std::forward<Call>(call));
}

template <class Call>
[[gnu::always_inline]] inline void ConnectionCore::take_turn_with(Bytes input, Callback callback,
                                                                  Call&& call) {
    Turn& turn = table_.turn();
    turn.enter(callback);
    turn.begin(this, input);
    Action action = Action::none;
    try {
        action = std::forward<Call>(call)();
    } catch (...) {
        threw(callback);
    }
    end_turn(action);
}

// One test for all that is not an echo. What is left out is in end_odd_turn.
[[gnu::always_inline]] inline void ConnectionCore::end_turn(Action action) {
    const std::size_t unread = table_.turn().unread().size();
    if ((static_cast<unsigned>(action) | odd_ | unread) != 0) [[unlikely]]
        return end_odd_turn(action);
    if (!table_.turn().written().empty() && !send_turn()) [[unlikely]]
        return end_short_turn();
    table_.turn().end();
}

// False: not all of it, and that was dealt with. The table is asked again after the call rather
// than remembered across it: a load is cheaper than a register that the caller must get back.
inline bool ConnectionCore::send_turn() {
    const driver::Sent sent = table_.driver().send_soon(*this, table_.turn().written());
    if (sent.count() != table_.turn().written().size()) [[unlikely]] {
        send_turn_short(sent);
        return false;
    }
    table_.turn().clear();  // the bytes stay where they are until the next turn writes
    return true;
}

inline Bytes ConnectionCore::unread() const {
    const Turn& turn = table_.turn();
    return turn.is_of(*this) ? turn.unread() : kept_.view();
}

inline std::size_t ConnectionCore::discard(std::size_t count) {
    Turn& turn = table_.turn();
    if (!turn.is_of(*this)) [[unlikely]]
        return discard_kept(count);
    const std::size_t dropped = std::min(count, turn.unread().size());
    turn.consume(dropped);
    return dropped;
}

inline WriteStatus ConnectionCore::write(Bytes bytes) {
    if (odd_ != 0) [[unlikely]]
        return write_slow(bytes);
    return send_back(bytes) || write_to_turn(bytes) ? WriteStatus::queued : write_slow(bytes);
}

// Not if anything is odd: then what is unread may be kept, and its memory go before the turn ends.
inline bool ConnectionCore::send_back(Bytes bytes) {
    Turn& turn = table_.turn();
    if (!turn.is_of(*this) || !turn.send_back(bytes)) return false;
    bytes_written_ += bytes.size();
    return true;
}

inline bool ConnectionCore::write_to_turn(Bytes bytes) {
    Turn& turn = table_.turn();
    if (!turn.is_of(*this)) return false;
    std::byte* const place = turn.append(bytes.size());
    if (place == nullptr) return false;
    bytes_written_ += bytes.size();
    std::memcpy(place, bytes.data(), bytes.size());
    return true;
}

}  // namespace berth::net
