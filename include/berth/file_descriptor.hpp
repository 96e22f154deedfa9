// SPDX-License-Identifier: MIT
//
// FileDescriptor: an open descriptor and its one owner, who closes it.
//
//     berth::FileDescriptor log(::open("log", O_WRONLY | O_CLOEXEC));
//     peer.write_with("here is the log", std::move(log));
//
// Lifetime:  closes what it holds, when it goes or is given another.
// Threads:   a value; one thread at a time.
// Errors:    what close(2) says is not told: the number is free in any case.
// See:       Connection::write_with, Connection::take_descriptors.

#pragma once

#include <berth/export.hpp>

#include <utility>

namespace berth {

class BERTH_EXPORT FileDescriptor {
public:
    FileDescriptor() = default;
    // Takes it over; a negative number is none.
    explicit FileDescriptor(int number) : number_(number) {}
    FileDescriptor(FileDescriptor&& other) noexcept : number_(other.release()) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() { reset(); }

    bool is_open() const { return number_ >= 0; }
    int number() const { return number_; }
    // The caller's from now on.
    int release() { return std::exchange(number_, -1); }
    void reset(int number = -1);

private:
    int number_ = -1;
};

}  // namespace berth
