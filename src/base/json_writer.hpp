// SPDX-License-Identifier: MIT
//
// JsonWriter: writes one JSON value into a string, members in the order of the calls.
//
// The library has one thing to write as JSON, the stop report, and must not bring a JSON library
// to everyone who links it.
//
// See:       RFC 8259.

#pragma once

#include <berth/clock.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth::base {

// As members named …_ms have it.
inline double in_milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

class JsonWriter {
public:
    JsonWriter& begin_object(std::string_view key = {});
    JsonWriter& end_object();
    JsonWriter& begin_array(std::string_view key = {});
    JsonWriter& end_array();

    JsonWriter& member(std::string_view key, std::string_view value);
    JsonWriter& member(std::string_view key, const char* value) {
        return member(key, std::string_view(value));
    }
    template <std::same_as<bool> Bool>
    JsonWriter& member(std::string_view key, Bool value) {
        return raw(key, value ? "true" : "false");
    }
    JsonWriter& member(std::string_view key, std::uint64_t value) {
        return raw(key, std::to_string(value));
    }
    JsonWriter& member(std::string_view key, double value);  // finite, below 1e15; three decimals

    const std::string& text() const { return text_; }

private:
    JsonWriter& open(std::string_view key, char bracket);
    JsonWriter& close(char bracket);
    JsonWriter& raw(std::string_view key, std::string_view value);
    void begin_value(std::string_view key);
    void quote(std::string_view text);

    std::string text_;
    bool first_ = true;
};

}  // namespace berth::base
