// SPDX-License-Identifier: MIT
//
// Draft: chooses sockets and addresses, mostly so that the next call is legal.

#include "differential/draft.hpp"

#include "differential/machine.hpp"
#include "differential/step.hpp"

#include <cstddef>

namespace berth::differential {

namespace {

constexpr std::size_t kNamesPerScript = 2;

}  // namespace

int Draft::any_name() { return static_cast<int>(chance_.below(kNamesPerScript)); }

int Draft::new_slot(const Belief& belief) {
    beliefs_.push_back(belief);
    return static_cast<int>(beliefs_.size()) - 1;
}

int Draft::pick_state(State state) {
    return pick([=](const Belief& belief) { return belief.state == state; });
}

// Mostly one that has something to read.
int Draft::pick_reader() {
    const bool is_waiting = chance_.percent(30);
    return pick([=](const Belief& belief) {
        return belief.state == State::connected && (is_waiting || belief.unread > 0);
    });
}

// Any socket's, closed ones too: their port may be in TIME_WAIT, or free again.
int Draft::any_port() {
    return beliefs_.empty() ? kNoSlot : static_cast<int>(chance_.below(beliefs_.size()));
}

Place Draft::place_for(Family family) {
    static constexpr Host kV4[] = {Host::loopback_v4, Host::loopback_v4, Host::loopback_v4,
                                   Host::any_v4,      Host::any_v4,      Host::second_v4,
                                   Host::foreign_v4};
    static constexpr Host kV6[] = {Host::loopback_v6, Host::loopback_v6, Host::any_v6,
                                   Host::any_v6,      Host::any_mapped,  Host::loopback_mapped};
    static constexpr Host kLocal[] = {Host::path, Host::path, Host::abstract_name};
    Place place{.port_of = chance_.percent(50) ? kNoSlot : any_port(), .name = any_name()};
    if (family == Family::local) place.host = chance_.one_of(kLocal);
    if (family != Family::local && chance_.percent(3)) {  // of the other family
        family = family == Family::v4 ? Family::v6 : Family::v4;
    }
    if (family == Family::v4) place.host = chance_.one_of(kV4);
    if (family == Family::v6) place.host = chance_.one_of(kV6);
    return place;
}

Place Draft::place_to(Family family, int target) {
    if (family == Family::local) return at(target).place;
    Place place{.port_of = target};
    const Host host = at(target).place.host;
    if (family == Family::v6) {
        const bool is_v4 = at(target).family == Family::v4 || host == Host::any_mapped ||
                           host == Host::loopback_mapped;
        place.host = is_v4 ? Host::loopback_mapped : Host::loopback_v6;
    } else if (host == Host::second_v4) {
        place.host = host;
    }
    if (chance_.percent(5)) place.host = place_for(family).host;
    if (place.host == Host::foreign_v4) place.host = Host::second_v4;  // never off this machine
    return place;
}

// ── One call, and what it makes the generator believe ────────────────────────────────────────

int Draft::open(Family family, Kind kind) {
    const int made = new_slot({.family = family, .kind = kind});
    add({.call = Call::socket, .made = made, .family = family, .kind = kind});
    return made;
}

int Draft::open_listener(Family family, const Place& place, int backlog) {
    const int slot = open(family, Kind::stream);
    const std::size_t drawn = chance_.below(10);
    if (drawn < 6) {
        const auto option = drawn < 5 ? SocketOption::reuse_address : SocketOption::reuse_port;
        add({.call = Call::set, .slot = slot, .option = option, .value = 1});
    }
    bind(slot, place);
    listen(slot, backlog);
    return slot;
}

void Draft::bind(int slot, const Place& place) {
    add({.call = Call::bind, .slot = slot, .place = place});
    if (at(slot).state == State::fresh) belief(slot).state = State::bound;
    belief(slot).place = place;
}

void Draft::listen(int slot, int backlog) {
    add({.call = Call::listen, .slot = slot, .value = backlog});
    if (at(slot).kind == Kind::stream) belief(slot).state = State::listening;
}

void Draft::connect(int slot, int target, const Place& place) {
    add({.call = Call::connect, .slot = slot, .place = place});
    belief(slot).state = State::connected;
    if (target == kNoSlot) return;
    belief(slot).peer = target;  // of a datagram socket; a stream's is known when it is accepted
    if (at(target).state == State::listening) belief(target).waiting.push_back(slot);
}

void Draft::accept(int listener) {
    Belief accepted{.family = at(listener).family, .kind = Kind::stream};
    accepted.state = State::connected;
    const int made = new_slot({});
    if (auto& waiting = belief(listener).waiting; !waiting.empty()) {
        accepted.peer = waiting.front();
        accepted.unread = at(accepted.peer).sent;
        belief(accepted.peer).peer = made;
        waiting.pop_front();
    }
    accepted.listener = listener;
    belief(made) = accepted;
    add({.call = Call::accept, .slot = listener, .made = made});
}

void Draft::close(int slot) {
    add({.call = Call::close, .slot = slot});
    belief(slot).state = State::closed;
}

void Draft::send(const Step& step) {
    add(step);
    ++belief(step.slot).sent;
    if (at(step.slot).peer != kNoSlot) ++belief(at(step.slot).peer).unread;
}

}  // namespace berth::differential
