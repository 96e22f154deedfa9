// SPDX-License-Identifier: MIT
//
// ContextTable: the users' objects of a loop's connections, by slot.
//
// Apart from the connections, so that one without a context pays nothing. What belongs to a slot is
// destroyed with its connection.
//
// Threads:   the loop's.
// Errors:    set() throws bad_alloc when the table cannot grow; the object is destroyed then.

#pragma once

#include <berth/context.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace berth::net {

class ContextTable {
public:
    // `tag` tells the type: its address does, and what it holds destroys an object of it.
    struct Entry {
        void* object = nullptr;
        const Context::Destroy* tag = nullptr;
    };

    ContextTable() = default;
    ContextTable(const ContextTable&) = delete;
    ContextTable& operator=(const ContextTable&) = delete;
    ~ContextTable() = default;  // connections have dropped theirs

    // In place of the one that was there.
    void set(std::uint32_t slot, Entry context) {
        try {
            if (contexts_.size() <= slot) contexts_.resize(std::size_t{slot} + 1);
        } catch (...) {
            destroy(context);
            throw;
        }
        destroy(std::exchange(contexts_[slot], context));  // which may set another slot's
    }
    void drop(std::uint32_t slot) {
        if (slot < contexts_.size()) destroy(std::exchange(contexts_[slot], {}));
    }
    // Null: there is none, or one of another type.
    void* get_if(std::uint32_t slot, const Context::Destroy* tag) const {
        if (slot >= contexts_.size() || contexts_[slot].tag != tag) return nullptr;
        return contexts_[slot].object;
    }

private:
    static void destroy(const Entry& context) {
        if (context.object != nullptr) (*context.tag)(context.object);
    }

    std::vector<Entry> contexts_;
};

}  // namespace berth::net
