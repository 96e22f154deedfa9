// SPDX-License-Identifier: MIT
//
// Directory: its entries by name, one after the other.
//
// Lifetime:  owns a descriptor and a buffer; what next() returns is good until the next.
// Threads:   one per Directory.
// See:       getdents64(2), proc(5).

#pragma once

#include "base/outcome.hpp"
#include "os/owned_descriptor.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace berth::os {

class Directory {
public:
    static base::Outcome<Directory> open(const std::string& path);

    // Nothing at the end, or at an error(). "." and ".." are left out.
    std::optional<std::string_view> next();
    int error() const { return error_; }  // an errno, or 0

    int descriptor() const { return directory_.number(); }

private:
    static constexpr std::size_t kRoom = 4096;

    explicit Directory(OwnedDescriptor directory) : directory_(std::move(directory)) {}
    void fill();

    OwnedDescriptor directory_;
    alignas(8) std::array<std::byte, kRoom> room_{};
    std::size_t filled_ = 0;
    std::size_t read_ = 0;
    int error_ = 0;
};

// Of this process, from /proc/self/fd.
base::Outcome<std::size_t> count_open_descriptors();

}  // namespace berth::os
