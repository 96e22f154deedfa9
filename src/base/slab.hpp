// SPDX-License-Identifier: MIT
//
// Slab<T>: objects in numbered slots, at addresses that never change.
//
// Slots come in pages of 64 that are kept once made; the slot freed last is used first, because
// it is warm. Each use of a slot has a generation of its own, so that an id kept for ever finds
// its object or nothing. A slot whose generation would wrap is retired: no id ever names two
// objects.
//
// Lifetime:  owns its objects; those still there are destroyed with the slab.
// Threads:   one.
// Errors:    emplace returns null when every slot is taken or no memory is left for a page.

#pragma once

#include "base/assert.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace berth::base {

// Names one use of one slot. Generations start at 1: the default names nothing.
struct SlotId {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;

    friend bool operator==(const SlotId&, const SlotId&) = default;
};

template <class T>
class Slab {
public:
    static constexpr std::size_t kSlotsMax = std::size_t{1} << 24U;  // what a ConnectionId names
    static constexpr std::size_t kPageSlots = 64;

    // `first_generation` lets a test begin next to the wrap.
    explicit Slab(std::size_t slots_max, std::uint32_t first_generation = 1)
        : slots_max_(slots_max), first_generation_(first_generation) {
        BERTH_ASSERT(slots_max <= kSlotsMax, "a slab has at most 2^24 slots");
        BERTH_ASSERT(first_generation != 0, "generation 0 names nothing");
        // Address space only: the page table is touched as pages are made, and never moves.
        pages_.reserve((slots_max + kPageSlots - 1) / kPageSlots);
    }
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;
    ~Slab() {
        for_each([](T& object) { destroy(object); });
    }

    // Makes T(SlotId, args...) in a free slot. What T's constructor throws passes through.
    template <class... Args>
    T* emplace(Args&&... args) {
        const std::uint32_t slot = take_slot();
        if (slot == kNone) return nullptr;
        Page& page = page_of(slot);
        const SlotId id{slot, page.generation(slot)};
        try {
            T* object = ::new (page.place(slot)) T(id, std::forward<Args>(args)...);
            page.live |= bit_of(slot);
            ++size_;
            return object;
        } catch (...) {
            give_back(slot);
            throw;
        }
    }

    // Destroys the object of that id, which must be there. While its destructor runs the id is
    // stale already, and its slot not yet free.
    void erase(SlotId id) {
        T* object = find(id);
        BERTH_ASSERT(object != nullptr, "only what is in the slab is erased from it");
        page_of(id.slot).live &= ~bit_of(id.slot);
        --size_;
        destroy(*object);
        give_back(id.slot);
    }

    // Null for an id that is stale, or was never given out.
    T* find(SlotId id) {
        if (id.slot / kPageSlots >= pages_.size()) return nullptr;
        Page& page = page_of(id.slot);
        const bool current = page.generation(id.slot) == id.generation;
        return current && (page.live & bit_of(id.slot)) != 0 ? &page.object(id.slot) : nullptr;
    }

    // Of an object that is there: slots that know their number need not know their generation.
    SlotId id_of(std::uint32_t slot) { return {slot, page_of(slot).generation(slot)}; }

    // Calls visit(T&) for every object, in the order of slots. `visit` may erase any object;
    // one that it emplaces is visited or not, depending on its slot.
    template <class Visit>
    void for_each(Visit&& visit) {
        for (std::size_t index = 0; index < pages_.size(); ++index) {
            Page& page = *pages_[index];
            std::uint64_t ahead = page.live;
            while (ahead != 0) {
                const auto at = static_cast<unsigned>(std::countr_zero(ahead));
                visit(page.object(at));
                ahead = page.live & (~std::uint64_t{1} << at);  // read again: visit may change it
            }
        }
    }

    std::size_t size() const { return size_; }
    // The most objects at a time; retired slots, one after 2^32 uses, count although unusable.
    std::size_t capacity() const { return slots_max_; }

private:
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    // Generations lie apart from the objects, so that they cost 4 bytes whatever T's alignment is.
    // A free slot's place holds the number of the one that was freed before it.
    static constexpr std::size_t kPlace = std::max(sizeof(T), sizeof(std::uint32_t));
    struct Page {
        std::uint64_t live = 0;  // one bit per slot that holds an object
        std::array<std::uint32_t, kPageSlots> generations{};
        alignas(T) std::array<std::byte, kPageSlots * kPlace> storage;  // not initialised

        std::uint32_t& generation(std::uint32_t slot) { return generations[slot % kPageSlots]; }
        void* place(std::uint32_t slot) { return &storage[slot % kPageSlots * kPlace]; }
        T& object(std::uint32_t slot) { return *std::launder(reinterpret_cast<T*>(place(slot))); }
    };

    static constexpr std::uint64_t bit_of(std::uint32_t slot) {
        return std::uint64_t{1} << slot % kPageSlots;
    }
    Page& page_of(std::uint32_t slot) { return *pages_[slot / kPageSlots]; }
    static void destroy(T& object) { object.~T(); }

    std::uint32_t take_slot() {
        if (free_ == kNone) return take_fresh_slot();
        std::uint32_t next = kNone;
        std::memcpy(&next, page_of(free_).place(free_), sizeof next);
        return std::exchange(free_, next);
    }

    std::uint32_t take_fresh_slot() {
        if (fresh_ == slots_max_) return kNone;
        if (fresh_ % kPageSlots == 0 && fresh_ / kPageSlots == pages_.size()) {
            std::unique_ptr<Page> page(new (std::nothrow) Page);
            if (page == nullptr) return kNone;
            pages_.push_back(std::move(page));
        }
        const auto slot = static_cast<std::uint32_t>(fresh_++);
        page_of(slot).generation(slot) = first_generation_;
        return slot;
    }

    // Ends the slot's generation, also one whose constructor threw: its id may have been kept.
    void give_back(std::uint32_t slot) {
        Page& page = page_of(slot);
        if (++page.generation(slot) == 0) return;  // retired
        const std::uint32_t next = std::exchange(free_, slot);
        std::memcpy(page.place(slot), &next, sizeof next);
    }

    std::size_t slots_max_;
    std::uint32_t first_generation_;
    std::uint32_t free_ = kNone;  // the slot freed last
    std::size_t fresh_ = 0;       // slots ever used; those from here on are new
    std::size_t size_ = 0;
    std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace berth::base
