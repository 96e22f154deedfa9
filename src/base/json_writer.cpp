// SPDX-License-Identifier: MIT
//
// JsonWriter: commas, quotes and escapes.

#include "base/json_writer.hpp"

#include <array>
#include <charconv>

namespace berth::base {

JsonWriter& JsonWriter::begin_object(std::string_view key) { return open(key, '{'); }
JsonWriter& JsonWriter::end_object() { return close('}'); }
JsonWriter& JsonWriter::begin_array(std::string_view key) { return open(key, '['); }
JsonWriter& JsonWriter::end_array() { return close(']'); }

JsonWriter& JsonWriter::member(std::string_view key, std::string_view value) {
    begin_value(key);
    quote(value);
    return *this;
}

JsonWriter& JsonWriter::member(std::string_view key, double value) {
    std::array<char, 64> room{};
    const auto end =
        std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::fixed, 3);
    return raw(key, std::string_view(room.data(), end.ptr));
}

JsonWriter& JsonWriter::open(std::string_view key, char bracket) {
    begin_value(key);
    text_ += bracket;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::raw(std::string_view key, std::string_view value) {
    begin_value(key);
    text_ += value;
    return *this;
}

void JsonWriter::begin_value(std::string_view key) {
    if (!first_) text_ += ',';
    first_ = false;
    if (key.empty()) return;
    quote(key);
    text_ += ':';
}

void JsonWriter::quote(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    text_ += '"';
    for (const char character : text) {
        const auto code = static_cast<unsigned char>(character);
        if (character == '"' || character == '\\') {
            text_ += '\\';
            text_ += character;
        } else if (code < 0x20) {
            text_ += "\\u00";
            text_ += kHex[code >> 4U];
            text_ += kHex[code & 0xfU];
        } else {
            text_ += character;
        }
    }
    text_ += '"';
}

}  // namespace berth::base
