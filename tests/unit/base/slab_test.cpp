// SPDX-License-Identifier: MIT
//
// Slab: ids find their object or nothing, addresses stay, slots are reused until they wrap.

#include "base/slab.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace berth::base {
namespace {

struct Item {
    Item(SlotId own_id, int initial) : id(own_id), value(initial) {}
    SlotId id;
    int value;
};

TEST(Slab, GivesEachObjectTheIdThatFindsIt) {
    Slab<Item> slab(8);
    const Item* a = slab.emplace(1);
    const Item* b = slab.emplace(2);
    EXPECT_EQ(slab.find(a->id), a);
    EXPECT_EQ(slab.find(b->id), b);
    EXPECT_EQ(slab.size(), 2u);
    EXPECT_EQ(slab.capacity(), 8u);
}

TEST(Slab, StartsGenerationsAtOne) {
    Slab<Item> slab(1);
    EXPECT_EQ(slab.emplace(1)->id, (SlotId{.slot = 0, .generation = 1}));
}

TEST(Slab, RefusesAStaleGeneration) {
    Slab<Item> slab(1);
    const SlotId old = slab.emplace(1)->id;
    slab.erase(old);
    EXPECT_EQ(slab.find(old), nullptr);

    const Item* successor = slab.emplace(2);
    EXPECT_EQ(successor->id.slot, old.slot);
    EXPECT_EQ(slab.find(old), nullptr);
    EXPECT_EQ(slab.find(successor->id), successor);
}

TEST(Slab, FindsNothingForAnIdThatWasNeverGivenOut) {
    Slab<Item> slab(1000);
    EXPECT_EQ(slab.find({.slot = 0, .generation = 1}), nullptr);
    const SlotId only = slab.emplace(1)->id;
    EXPECT_EQ(slab.find({}), nullptr);
    EXPECT_EQ(slab.find({.slot = 1, .generation = 0}), nullptr);
    EXPECT_EQ(slab.find({.slot = 1, .generation = 1}), nullptr);
    EXPECT_EQ(slab.find({.slot = 900, .generation = 1}), nullptr);
    EXPECT_EQ(slab.find({.slot = std::numeric_limits<std::uint32_t>::max(), .generation = 1}),
              nullptr);

    slab.erase(only);
    EXPECT_EQ(slab.find({.slot = only.slot, .generation = only.generation + 1}), nullptr)
        << "the next generation, before anybody has it";
}

TEST(Slab, RefusesWhenEverySlotIsTaken) {
    Slab<Item> slab(65);
    for (int i = 0; i < 65; ++i) ASSERT_NE(slab.emplace(i), nullptr);
    EXPECT_EQ(slab.emplace(65), nullptr);
    EXPECT_EQ(slab.size(), 65u);
}

TEST(Slab, HasNoRoomWhenItMayHaveNoSlot) {
    Slab<Item> slab(0);
    EXPECT_EQ(slab.emplace(1), nullptr);
}

TEST(Slab, ReusesTheSlotFreedLastFirst) {
    Slab<Item> slab(8);
    std::array<SlotId, 3> ids{};
    for (SlotId& id : ids) id = slab.emplace(0)->id;
    slab.erase(ids[0]);
    slab.erase(ids[2]);
    EXPECT_EQ(slab.emplace(0)->id.slot, ids[2].slot);
    EXPECT_EQ(slab.emplace(0)->id.slot, ids[0].slot);
    EXPECT_EQ(slab.emplace(0)->id.slot, 3u);
}

TEST(Slab, KeepsAddressesWhileItGrows) {
    Slab<Item> slab(1000);
    std::vector<Item*> items;
    items.reserve(1000);
    for (int i = 0; i < 1000; ++i) items.push_back(slab.emplace(i));
    for (int i = 0; i < 1000; ++i) {
        Item* item = items[static_cast<std::size_t>(i)];
        ASSERT_EQ(slab.find(item->id), item);
        ASSERT_EQ(item->value, i);
    }
}

TEST(Slab, RetiresASlotBeforeItsGenerationWraps) {
    constexpr std::uint32_t kLast = std::numeric_limits<std::uint32_t>::max();
    Slab<Item> slab(2, kLast - 1);
    slab.erase(slab.emplace(1)->id);
    const SlotId last_use = slab.emplace(2)->id;
    EXPECT_EQ(last_use, (SlotId{.slot = 0, .generation = kLast}));
    slab.erase(last_use);

    EXPECT_EQ(slab.emplace(3)->id.slot, 1u) << "slot 0 is retired";
    EXPECT_EQ(slab.emplace(4), nullptr);
    EXPECT_EQ(slab.find(last_use), nullptr);
    EXPECT_EQ(slab.find({.slot = 0, .generation = 0}), nullptr);
}

struct Throwing {
    explicit Throwing(SlotId) { throw std::runtime_error("no"); }
};

TEST(Slab, KeepsTheSlotOfAnObjectThatCouldNotBeMade) {
    Slab<Throwing> slab(1);
    EXPECT_THROW(slab.emplace(), std::runtime_error);
    EXPECT_EQ(slab.size(), 0u);
    EXPECT_THROW(slab.emplace(), std::runtime_error) << "null would mean that the slot is lost";
}

TEST(Slab, DestroysWhatIsLeft) {
    auto counted = std::make_shared<int>(0);
    struct Holder {
        Holder(SlotId, std::shared_ptr<int> token) : held(std::move(token)) {}
        std::shared_ptr<int> held;
    };
    {
        Slab<Holder> slab(200);
        for (int i = 0; i < 100; ++i) slab.emplace(counted);
        EXPECT_EQ(counted.use_count(), 101);
    }
    EXPECT_EQ(counted.use_count(), 1);
}

struct LooksAround {
    LooksAround(SlotId own_id, Slab<LooksAround>& around) : id(own_id), slab(around) {}
    ~LooksAround() { EXPECT_EQ(slab.find(id), nullptr); }
    SlotId id;
    Slab<LooksAround>& slab;
};

TEST(Slab, HasForgottenAnObjectBeforeItsDestructorRuns) {
    Slab<LooksAround> slab(1);
    slab.erase(slab.emplace(slab)->id);
}

TEST(Slab, VisitsEveryObjectInTheOrderOfSlots) {
    Slab<Item> slab(200);
    std::vector<SlotId> ids;
    ids.reserve(200);
    for (int i = 0; i < 200; ++i) ids.push_back(slab.emplace(i)->id);
    for (std::size_t i = 0; i < 200; i += 3) slab.erase(ids[i]);

    std::vector<int> seen;
    slab.for_each([&](const Item& item) { seen.push_back(item.value); });
    std::vector<int> expected;
    for (int i = 0; i < 200; ++i) {
        if (i % 3 != 0) expected.push_back(i);
    }
    EXPECT_EQ(seen, expected);
}

TEST(Slab, MayLoseAnyObjectWhileItIsVisited) {
    Slab<Item> slab(130);
    std::vector<SlotId> ids;
    ids.reserve(130);
    for (int i = 0; i < 130; ++i) ids.push_back(slab.emplace(i)->id);

    std::set<std::uint32_t> seen;
    slab.for_each([&](const Item& item) {
        const SlotId self = item.id;
        EXPECT_TRUE(seen.insert(self.slot).second);
        if (self.slot % 2 == 0 && self.slot + 1 < 130) slab.erase(ids[self.slot + 1]);
        slab.erase(self);
    });
    EXPECT_EQ(seen.size(), 65u);
    EXPECT_EQ(slab.size(), 0u);
}

TEST(Slab, MayGrowWhileItIsVisited) {
    Slab<Item> slab(100);
    slab.emplace(0);
    int visits = 0;
    slab.for_each([&](const Item&) {
        ++visits;
        slab.emplace(0);
        slab.emplace(0);
    });
    EXPECT_EQ(slab.size(), 100u);
    EXPECT_EQ(visits, 100) << "each slot at most once, even if all are new";
}

struct alignas(128) Wide {
    explicit Wide(SlotId own_id) : id(own_id) {}
    SlotId id;
};

TEST(Slab, AlignsItsObjects) {
    Slab<Wide> slab(70);
    while (const Wide* wide = slab.emplace()) {
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(wide) % alignof(Wide), 0u);
    }
    EXPECT_EQ(slab.size(), 70u);
}

TEST(SlabDeathTest, AbortsWhenAStaleIdIsErased) {
    Slab<Item> slab(1);
    const SlotId id = slab.emplace(1)->id;
    slab.erase(id);
    EXPECT_DEATH(slab.erase(id), "only what is in the slab is erased");
}

TEST(SlabDeathTest, AbortsWhenMoreSlotsAreAskedThanAnIdCanName) {
    EXPECT_DEATH(Slab<Item>((std::size_t{1} << 24U) + 1), "at most 2\\^24 slots");
}

}  // namespace
}  // namespace berth::base
