// SPDX-License-Identifier: MIT
//
// Directory: a buffer of records of different lengths.

#include "os/directory.hpp"

#include "base/outcome.hpp"
#include "os/call_outcome.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"

#include <dirent.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace berth::os {

base::Outcome<Directory> Directory::open(const std::string& path) {
    const auto opened = open_directory(path);
    if (!opened) return base::failed(opened.errno_value());
    return Directory{OwnedDescriptor{*opened}};
}

void Directory::fill() {
    const auto filled = outcome<std::size_t>(
        raw_call(Call::list_directory, directory_.number(), room_.data(), room_.size()));
    error_ = filled.errno_value();
    filled_ = filled.value_or(0);
    read_ = 0;
}

std::optional<std::string_view> Directory::next() {
    for (;;) {
        if (read_ == filled_) fill();
        if (filled_ == 0) return std::nullopt;
        const auto* entry = reinterpret_cast<const dirent64*>(&room_[read_]);
        read_ += entry->d_reclen;
        const std::string_view name{entry->d_name};
        if (name != "." && name != "..") return name;
    }
}

base::Outcome<std::size_t> count_open_descriptors() {
    auto directory = Directory::open("/proc/self/fd");
    if (!directory) return base::failed(directory.errno_value());
    std::size_t entries = 0;
    while (directory->next()) ++entries;
    if (directory->error() != 0) return base::failed(directory->error());
    return entries - 1;  // the directory's own descriptor
}

}  // namespace berth::os
