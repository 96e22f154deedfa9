// SPDX-License-Identifier: MIT
//
// StableList: grows at its end while others read it; what is in it does not move.
//
// Lifetime:  owns its items, until clear().
// Threads:   any; clear() while nobody else is there.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace berth::base {

template <class T, std::size_t Max>
class StableList {
public:
    // Where it stands; nothing: the list is full. Of several at a time each takes a place, and is
    // seen when those before it are.
    std::optional<std::size_t> append(std::shared_ptr<T> item) {
        std::size_t place = taken_.load();
        do {
            if (place >= Max) return {};
        } while (!taken_.compare_exchange_weak(place, place + 1));
        items_[place] = std::move(item);
        while (size_.load(std::memory_order_acquire) != place) std::this_thread::yield();
        size_.store(place + 1, std::memory_order_release);
        return place;
    }

    std::size_t size() const { return size_.load(std::memory_order_acquire); }
    T& operator[](std::size_t place) const { return *items_[place]; }
    // For who may outlive the list.
    const std::shared_ptr<T>& shared(std::size_t place) const { return items_[place]; }

    void clear() {
        for (std::size_t i = size(); i > 0; --i) items_[i - 1].reset();
        size_.store(0);
        taken_.store(0);
    }

private:
    std::array<std::shared_ptr<T>, Max> items_;
    std::atomic<std::size_t> taken_{0};
    std::atomic<std::size_t> size_{0};
};

}  // namespace berth::base
