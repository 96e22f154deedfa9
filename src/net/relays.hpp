// SPDX-License-Identifier: MIT
//
// Relays: who is joined with whom, on one loop.
//
// Beside the connections, because few are joined and all would pay for the pointer.
//
// Lifetime:  both sides are in it until part() is called for one of them, which its connection does
//            before it closes: a partner that is found is there.
// Threads:   the loop's.

#pragma once

#include "base/slab.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace berth::net {

class ConnectionCore;

struct Partner {
    ConnectionCore* other = nullptr;  // null: it is joined with nobody, or parted already
    bool is_near = false;             // this one asks, and the other one answers
};

class Relays {
public:
    void join(base::SlotId near, ConnectionCore& near_core, base::SlotId far,
              ConnectionCore& far_core) {
        at(near) = {.other = &far_core, .is_near = true};
        at(far) = {.other = &near_core, .is_near = false};
    }
    Partner of(base::SlotId id) const {
        return id.slot < partners_.size() ? partners_[id.slot] : Partner{};
    }
    // Forgets one of them; the other has to be forgotten, too.
    ConnectionCore* forget(base::SlotId id) { return std::exchange(at(id), {}).other; }

private:
    Partner& at(base::SlotId id) {
        if (partners_.size() <= id.slot) partners_.resize(std::size_t{id.slot} + 1);
        return partners_[id.slot];
    }

    std::vector<Partner> partners_;  // by slot
};

}  // namespace berth::net
