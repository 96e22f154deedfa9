// SPDX-License-Identifier: MIT
//
// ConnectionCore::take_turn: one callback of the handler, and what follows from it.
//
// A template, so that the message path is one straight line of code; included by the
// connection_*.cpp files only.

#pragma once

#include "net/connection_core.hpp"
#include "net/connection_table.hpp"

#include <utility>

namespace berth::net {

template <class Call>
[[gnu::always_inline]] inline void ConnectionCore::take_turn(Callback callback, Call&& call) {
    // A turn may write, and that is activity; on_received has left its stamp already.
    if (callback != Callback::on_traffic) last_activity_ = table_.loop().now();
    table_.turn().begin(this);
    end_turn(table_.guarded_or(callback, std::forward<Call>(call), [this] {
        close(CloseMode::now, CloseReason::handler_threw);
        return Action::none;
    }));
}

// In this order: what was written leaves before a close that was asked for takes effect.
[[gnu::always_inline]] inline void ConnectionCore::end_turn(Action action) {
    if (action != Action::none) [[unlikely]]
        obey(action);
    if (odd_ != 0 || !fresh_.empty()) [[unlikely]]
        leave_unread();
    if (!table_.turn().written().empty()) send_turn();
    table_.turn().end();
    if (odd_ != 0) [[unlikely]]
        settle();
}

inline void ConnectionCore::send_turn() {
    Turn& turn = table_.turn();
    const Bytes written = turn.written();
    const driver::Sent sent = table_.driver().send(*this, written);
    turn.clear();  // the bytes stay where they are until the next turn writes
    if (sent.count() != written.size()) [[unlikely]]
        send_turn_short(written, sent);
}

inline void ConnectionCore::consume(std::size_t count) {
    if (kept_.empty()) [[likely]] {
        fresh_ = fresh_.subspan(count);
    } else {
        consume_kept(count);
    }
}

inline WriteStatus ConnectionCore::write(Bytes bytes) {
    if (odd_ == 0 && write_to_turn(bytes)) [[likely]] {
        return WriteStatus::queued;
    }
    return write_slow(bytes);
}

inline bool ConnectionCore::write_to_turn(Bytes bytes) {
    if (!table_.turn().is_of(*this) || !table_.turn().write(bytes)) return false;
    bytes_written_ += bytes.size();
    return true;
}

}  // namespace berth::net
