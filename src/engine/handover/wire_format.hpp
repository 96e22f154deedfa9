// SPDX-License-Identifier: MIT
//
// Wire format: numbers and texts as bytes, and back without trust.
//
// Numbers are little-endian. A text is its length in 32 bits and its bytes. A reader that ran out
// of bytes, or met a length above its bound, has failed for good and yields zeroes from then on,
// so that a decoder asks once, at the end.

#pragma once

#include <berth/bytes.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace berth::engine::handover {

class FieldWriter {
public:
    explicit FieldWriter(std::vector<std::byte>& into) : into_(into) {}

    template <std::unsigned_integral Number>
    void number(Number value) {
        for (std::size_t i = 0; i < sizeof(Number); ++i) {
            into_.push_back(static_cast<std::byte>(value >> (8 * i)));
        }
    }
    void flag(bool value) { number(static_cast<std::uint8_t>(value)); }
    void raw(Bytes bytes) { into_.insert(into_.end(), bytes.begin(), bytes.end()); }
    void bytes(Bytes bytes) {
        number(static_cast<std::uint32_t>(bytes.size()));
        raw(bytes);
    }

private:
    std::vector<std::byte>& into_;
};

class FieldReader {
public:
    explicit FieldReader(Bytes from) : left_(from) {}

    template <std::unsigned_integral Number>
    Number number() {
        std::uint64_t value = 0;
        std::size_t shift = 0;
        for (const std::byte byte : raw(sizeof(Number))) {
            value |= std::to_integer<std::uint64_t>(byte) << shift;
            shift += 8;
        }
        return static_cast<Number>(value);
    }
    bool flag() {
        const auto value = number<std::uint8_t>();
        if (value > 1) fail();
        return value == 1;
    }
    Bytes raw(std::size_t size) {
        if (size > left_.size()) {
            fail();
            return {};
        }
        const Bytes taken = left_.first(size);
        left_ = left_.subspan(size);
        return taken;
    }
    Bytes bytes(std::size_t max) {
        const auto size = number<std::uint32_t>();
        if (size > max) fail();
        return raw(size);
    }
    std::string text(std::size_t max) { return std::string(as_text(bytes(max))); }

    void fail() {
        has_failed_ = true;
        left_ = {};
    }
    bool has_failed() const { return has_failed_; }
    // Everything was read, and nothing was missing.
    bool is_complete() const { return !has_failed_ && left_.empty(); }

private:
    Bytes left_;
    bool has_failed_ = false;
};

}  // namespace berth::engine::handover
