// SPDX-License-Identifier: MIT
//
// SourceList: a first-in first-out list through Source::next. A source is in one list at most.

#pragma once

#include "driver/driver.hpp"

#include <utility>

namespace berth::driver {

class SourceList {
public:
    bool empty() const { return first_ == nullptr; }

    void push(Source& source) {
        source.next = nullptr;
        *last_ = &source;
        last_ = &source.next;
    }

    Source* pop() {
        Source* source = first_;
        if (source == nullptr) return nullptr;
        first_ = std::exchange(source->next, nullptr);
        if (first_ == nullptr) last_ = &first_;
        return source;
    }

    SourceList() = default;
    SourceList(const SourceList&) = delete;
    SourceList& operator=(const SourceList&) = delete;

    // Moves everything of `other` behind what is here.
    void append(SourceList& other) {
        while (Source* source = other.pop()) push(*source);
    }

private:
    Source* first_ = nullptr;
    Source** last_ = &first_;
};

}  // namespace berth::driver
