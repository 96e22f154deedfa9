// SPDX-License-Identifier: MIT
//
// Recycler<T>: objects made on many threads, given back on others, allocated seldom.
//
// Objects come in blocks. A thread takes those of its block one after the other; a block whose last
// object was given back goes onto one stack, and a thread that has used its block up takes the
// whole stack for itself. So memory that comes back from another processor is met in the order of
// its addresses, which the processor foresees. A list of single objects was slower by a factor of
// three where two processors were busy: each had to arrive before the next was known, and to give
// one back was a compare-and-swap on a word that all share.
//
// Only whole stacks are taken, so there is no ABA and no lock.
//
// Lifetime:  a block lives until the process ends. An object that is kept keeps its block from
//            being used again.
// Threads:   any.

#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace berth::base {

template <class T>
class Recycler {
public:
    static constexpr std::size_t kBlockObjects = 16;

    static T* take() {
        if (rest.next == rest.end) [[unlikely]]
            begin_block();
        return rest.next++;
    }

    static void give_back(T* object) {
        static_assert(sizeof(Block) == kAlignment, "no object lies beyond what Block::of finds");
        Block::of(object).give_back(1);
    }

private:
    struct BlockHead;
    struct Block;
    static inline std::atomic<BlockHead*> returned{nullptr};

    struct BlockHead {
        std::atomic<std::size_t> out{kBlockObjects};  // not given back, or not yet taken
        BlockHead* next = nullptr;

        void give_back(std::size_t count) {
            if (out.fetch_sub(count, std::memory_order_acq_rel) == count) put_back();
        }
        void put_back() {
            next = returned.load(std::memory_order_relaxed);
            while (!returned.compare_exchange_weak(next, this, std::memory_order_release,
                                                   std::memory_order_relaxed)) {
            }
        }
    };

    // Its address is what those of its objects have in common.
    static constexpr std::size_t kAlignment =
        std::bit_ceil(sizeof(BlockHead) + alignof(T) + sizeof(std::array<T, kBlockObjects>));
    struct alignas(kAlignment) Block : BlockHead {
        std::array<T, kBlockObjects> objects;

        static Block& of(T* object) {
            const auto address = std::bit_cast<std::uintptr_t>(object);
            return *std::bit_cast<Block*>(address & ~(std::uintptr_t{kAlignment} - 1));
        }
    };
    // What this thread has not taken yet of its block.
    struct Rest {
        T* next = nullptr;
        T* end = nullptr;
    };
    static inline constinit thread_local Rest rest;

    // Blocks that it has for itself; gives back what is left when the thread ends.
    struct Kept {
        BlockHead* blocks = nullptr;

        ~Kept() {
            while (blocks != nullptr) std::exchange(blocks, blocks->next)->put_back();
            if (rest.next == rest.end) return;
            const auto count = static_cast<std::size_t>(rest.end - rest.next);
            Block::of(rest.next).give_back(count);
            rest = {};
        }
    };

    [[gnu::noinline]] static void begin_block() {
        thread_local Kept kept;
        if (kept.blocks == nullptr) {
            kept.blocks = returned.exchange(nullptr, std::memory_order_acquire);
        }
        Block* block = nullptr;
        if (kept.blocks == nullptr) {
            block = new Block;
        } else {
            block = static_cast<Block*>(std::exchange(kept.blocks, kept.blocks->next));
            block->out.store(kBlockObjects, std::memory_order_relaxed);
        }
        rest = {.next = block->objects.data(), .end = block->objects.data() + kBlockObjects};
    }
};

}  // namespace berth::base
