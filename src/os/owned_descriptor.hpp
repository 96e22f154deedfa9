// SPDX-License-Identifier: MIT
//
// OwnedDescriptor: a file descriptor that is closed with its owner.

#pragma once

#include "os/calls.hpp"

#include <utility>

namespace berth::os {

class OwnedDescriptor {
public:
    explicit OwnedDescriptor(int number) : number_(number) {}
    OwnedDescriptor(OwnedDescriptor&& other) noexcept : number_(other.release()) {}
    OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~OwnedDescriptor() {
        if (number_ >= 0) close(number_);
    }

    int number() const { return number_; }
    int release() { return std::exchange(number_, -1); }

private:
    int number_;
};

}  // namespace berth::os
