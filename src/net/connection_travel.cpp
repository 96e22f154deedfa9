// SPDX-License-Identifier: MIT
//
// ConnectionCore on a journey: out of this process, and into this one.
//
// What travels is a duplicate of the socket. The connection here closes its own descriptor, and
// nothing is shut down: the peer notices nothing.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"

#include <algorithm>
#include <utility>

namespace berth::net {

// ── Out ──────────────────────────────────────────────────────────────────────────────────────

bool ConnectionCore::may_travel() const {
    constexpr unsigned kStays =
        kNotOpen | kSending | kDraining | kTransported | kRelayed | kFiles | kLinked;
    return !is(kStays) && !told_ && in_flight_ == 0 && unsent() == 0 &&
           unread().size() <= Traveller::kUnreadMax;
}

std::optional<Traveller> ConnectionCore::travel() {
    if (!may_travel() || !reclaim()) return {};
    const Instant idle_since = last_activity_;  // asking is no activity of its
    auto state = ask_to_travel();
    if (!state || !may_travel() || !reclaim()) return {};
    const auto socket = table_.system().duplicate(descriptor);
    if (!socket) return {};

    Traveller traveller{.socket = *socket,
                        .peer = peer(),
                        .listener = listener_,
                        .unread = Buffer::copy_of(unread()),
                        .state = std::move(*state),
                        .idle_left = {}};
    const Duration idle = limits().idle;
    if (idle > Duration::zero()) {
        const Duration left = idle_since + idle - table_.loop().now();
        traveller.idle_left = std::max(left, Duration::zero());
    }
    override_reason(CloseReason::handed_over);
    abort(driver::Ending::orderly);
    return traveller;
}

std::optional<Buffer> ConnectionCore::ask_to_travel() {
    std::optional<Buffer> state;
    take_turn(Callback::on_export, [&] {
        state = table_.handler().on_export(*this);
        return Action::none;
    });
    return state;
}

// ── In ───────────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::open_imported(const Traveller& traveller) {
    const auto started = table_.driver().start_receive(*this);
    if (!started) return fail(started.errno_value());
    imported_ = true;
    if (!traveller.unread.empty()) {
        kept_.append(traveller.unread.bytes());
        table_.memory().add(traveller.unread.size());
        set(kKept | kWantsTraffic);
        mark_dirty();
    }
    move_to(step(state_, ConnectionEvent::connected).next);  // on_import in place of on_open
    become_open();
    const std::uint64_t written = bytes_written_;
    take_turn(Callback::on_import,
              [&] { return table_.handler().on_import(*this, traveller.state.bytes()); });
    if (traveller.idle_left && bytes_written_ == written) {
        const Duration idle = std::max(limits().idle, Duration::zero());
        last_activity_ = table_.loop().now() - (idle - std::min(idle, *traveller.idle_left));
        arm_timer();
    }
    drain_if_told();
}

}  // namespace berth::net
