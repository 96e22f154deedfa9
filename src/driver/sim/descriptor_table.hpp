// SPDX-License-Identifier: MIT
//
// DescriptorTable: the open descriptors of one simulated process.
//
// Lifetime:  its end closes them.
// Threads:   one.

#pragma once

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/sim/file.hpp"
#include "driver/sim/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace berth::driver::sim {

class DescriptorTable {
public:
    explicit DescriptorTable(std::size_t max) : max_(max) {}

    std::size_t max() const { return max_; }
    void limit(std::size_t max) { max_ = max; }
    std::size_t open_count() const { return files_.size() - free_.size(); }
    bool is_full() const { return slot(lowest_free()) + kFirst >= max_; }

    // The lowest free number, which must be there.
    Descriptor open(Holding file) {
        const Descriptor descriptor = lowest_free();
        if (free_.empty()) {
            files_.push_back(std::move(file));
        } else {
            std::ranges::pop_heap(free_, std::greater{});
            free_.pop_back();
            files_[slot(descriptor)] = std::move(file);
        }
        return descriptor;
    }
    Descriptor open(std::shared_ptr<File> file) { return open(Holding{std::move(file)}); }

    void close(Descriptor descriptor) {
        if (find(descriptor) == nullptr) return;
        const Holding closed = std::move(files_[slot(descriptor)]);
        free_.push_back(slot(descriptor));
        std::ranges::push_heap(free_, std::greater{});
    }

    void close_all() {
        for (std::size_t at = 0; at < files_.size(); ++at) close(descriptor_of(at));
    }

    // Null: EBADF.
    std::shared_ptr<File> file(Descriptor descriptor) const {
        const auto* holding = find(descriptor);
        return holding == nullptr ? nullptr : holding->file();
    }

    Outcome<std::shared_ptr<Socket>> socket(Descriptor descriptor) const {
        const auto* holding = find(descriptor);
        if (holding == nullptr) return base::failed(EBADF);
        Socket* socket = holding->file()->as_socket();
        if (socket == nullptr) return base::failed(ENOTSOCK);
        return std::shared_ptr<Socket>{holding->file(), socket};
    }

    void for_each_socket(auto&& act) const {
        for (std::size_t at = 0; at < files_.size(); ++at) {
            const auto found = socket(descriptor_of(at));
            if (found) act(descriptor_of(at), **found);
        }
    }

private:
    static constexpr std::size_t kFirst = 3;  // after the standard streams

    static std::size_t slot(Descriptor descriptor) {
        return static_cast<std::size_t>(number(descriptor)) - kFirst;
    }
    static Descriptor descriptor_of(std::size_t slot) {
        return Descriptor{static_cast<int>(slot + kFirst)};
    }
    Descriptor lowest_free() const {
        return descriptor_of(free_.empty() ? files_.size() : free_.front());
    }
    const Holding* find(Descriptor descriptor) const {
        if (number(descriptor) < static_cast<int>(kFirst)) return nullptr;
        if (slot(descriptor) >= files_.size()) return nullptr;
        const auto& holding = files_[slot(descriptor)];
        return holding ? &holding : nullptr;
    }

    std::size_t max_;
    std::vector<Holding> files_;     // of descriptors from kFirst on
    std::vector<std::size_t> free_;  // a heap of slots, the lowest first
};

}  // namespace berth::driver::sim
