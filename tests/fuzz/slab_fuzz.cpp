// SPDX-License-Identifier: MIT
//
// Slab against a map: ids find their object or nothing, for ever, and addresses stay.
//
// Input: how many slots, less one; how many generations from the wrap they begin; then actions,
// each a digit with what belongs to it:
//
//     0         emplace
//     1 id      erase the object of an id that was given out, if it is there
//     2         emplace, and the constructor throws
//     3 id      visit all, and erase the object of an id on the way

#include "base/slab.hpp"
#include "choices.hpp"
#include "fuzz.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

namespace berth::fuzz {

namespace {

using base::SlotId;

constexpr std::size_t kSlotsMax = 70;  // more than a page
constexpr std::uint32_t kGenerationMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kCanary = 0x5ca1ab1e;

struct Refusal {
    SlotId id;
};

struct Object {
    Object(SlotId given, bool refuses) : id(given) {
        if (refuses) throw Refusal{id};
    }
    SlotId id;
    std::size_t canary = kCanary;
};

class SlabAndModel {
public:
    SlabAndModel(std::size_t slots, std::uint32_t first_generation)
        : slab_(slots, first_generation) {}

    void act(Choices& choices) {
        switch (choices.below(4)) {
            case 0: return emplace();
            case 1: return erase(given(choices));
            case 2: return refuse();
            default: return erase_on_the_way(given(choices));
        }
    }

    void expect_agreement() {
        expect(slab_.size() == objects_.size(), "the size is what was made less what was erased");
        for (std::size_t use = 0; use < given_.size(); ++use) {
            const auto known = objects_.find(use);
            Object* const wanted = known == objects_.end() ? nullptr : known->second;
            expect(slab_.find(given_[use]) == wanted, "an id finds its object or nothing");
            if (wanted != nullptr) expect(wanted->canary == kCanary, "objects stay whole");
        }
        expect(slab_.find({}) == nullptr, "the default names nothing");
    }

private:
    void emplace() {
        Object* object = slab_.emplace(false);
        expect((object == nullptr) == is_full(), "null means that no slot is left");
        if (object == nullptr) return;
        objects_.emplace(given_.size(), object);
        keep(object->id);
    }

    void refuse() {
        try {
            expect(slab_.emplace(true) == nullptr && is_full(), "null means that no slot is left");
        } catch (const Refusal& refusal) {
            keep(refusal.id);
            end(refusal.id);
        }
    }

    void keep(SlotId id) {
        expect(std::ranges::find(given_, id) == given_.end(), "no id names two objects");
        given_.push_back(id);
    }
    void end(SlotId id) {
        if (id.generation == kGenerationMax) ++retired_;
    }
    bool is_full() const { return objects_.size() + retired_ == slab_.capacity(); }

    // The number of a use: of an id that was given out.
    std::size_t given(Choices& choices) const {
        const std::size_t choice = choices.below(256);
        return given_.empty() ? 0 : choice % given_.size();
    }

    void erase(std::size_t use) {
        if (objects_.erase(use) == 0) return;
        slab_.erase(given_[use]);
        end(given_[use]);
    }

    void erase_on_the_way(std::size_t use) {
        std::size_t next = 0;
        std::size_t visits = 0;
        slab_.for_each([&](Object& visited) {
            expect(slab_.find(visited.id) == &visited, "what is visited is there");
            expect(visited.id.slot >= next, "visits are in the order of slots");
            next = visited.id.slot + 1;
            ++visits;
            erase(use);
        });
        expect(visits >= objects_.size(), "what stays is visited");
    }

    base::Slab<Object> slab_;
    std::size_t retired_ = 0;
    std::vector<SlotId> given_;
    std::map<std::size_t, Object*> objects_;  // by the use: an index of given_
};

}  // namespace

void try_input(Bytes input) {
    Choices choices(input);
    const std::size_t slots = choices.below(kSlotsMax) + 1;
    const auto from_the_wrap = static_cast<std::uint32_t>(choices.below(4));
    SlabAndModel both(slots, kGenerationMax - from_the_wrap);
    while (choices.left()) {
        both.act(choices);
        both.expect_agreement();
    }
}

}  // namespace berth::fuzz
