// SPDX-License-Identifier: MIT
//
// JsonWriter: what it writes is JSON, and another library reads the same from it.
//
// Input: actions, each a digit with what belongs to it:
//
//     0             begin an object            1             begin an array
//     2             end what was begun last
//     3 text        a string: up to a `~`      4             true or false
//     5 magnitude   a number                   6 magnitude   milliseconds, with a fraction

#include "base/json_writer.hpp"
#include "choices.hpp"
#include "fuzz.hpp"

#include <berth/bytes.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::fuzz {

namespace {

using nlohmann::json;

constexpr double kHalfOfTheLastDigit = 0.0005;
constexpr double kPrecision = 1e-15;  // of a double, relative

class WriterAndModel {
public:
    WriterAndModel() { writer_.begin_object(); }

    void act(Choices& choices) {
        switch (choices.below(7)) {
            case 0: return begin(json::object());
            case 1: return begin(json::array());
            case 2: return end();
            case 3: return add(text(choices));
            case 4: return add(choices.below(2) == 1);
            case 5: return add(choices.magnitude(63));
            default: return add(static_cast<double>(choices.magnitude(43)) / 1000 - 1);
        }
    }

    void finish() {
        while (!outer_.empty()) end();
        writer_.end_object();
        expect(json::accept(writer_.text()), "what is written is JSON");
        expect_same(json::parse(writer_.text()), current_);
    }

private:
    // Every character of ASCII, those that must be escaped among them, and some beyond.
    static std::string text(Choices& choices) {
        std::string text;
        while (choices.left()) {
            const auto character = static_cast<char>(choices.below(128));
            if (character == '~' - '0') break;
            text += character;
        }
        return text + "→";
    }

    // In an object every member needs a name of its own; what would be hidden could not differ.
    std::string key() {
        if (current_.is_array()) return {};
        return "\"\\\n" + std::to_string(current_.size());
    }

    void begin(json empty) {
        const std::string name = key();
        if (empty.is_object()) {
            writer_.begin_object(name);
        } else {
            writer_.begin_array(name);
        }
        outer_.emplace_back(name, std::exchange(current_, std::move(empty)));
    }

    void end() {
        if (outer_.empty()) return;
        if (current_.is_object()) {
            writer_.end_object();
        } else {
            writer_.end_array();
        }
        auto [name, outer] = std::move(outer_.back());
        outer_.pop_back();
        json ended = std::exchange(current_, std::move(outer));
        put(name, std::move(ended));
    }

    template <class Value>
    void add(const Value& value) {
        const std::string name = key();
        writer_.member(name, value);
        put(name, value);
    }

    void put(const std::string& name, json value) {
        if (current_.is_array()) {
            current_.push_back(std::move(value));
        } else {
            current_[name] = std::move(value);
        }
    }

    static void expect_same(const json& read, const json& written) {
        if (written.is_number_float()) return expect_close(read.get<double>(), written);
        if (!written.is_structured()) return expect(read == written, "a value reads back");
        expect(read.type() == written.type() && read.size() == written.size(),
               "a structure reads back");
        for (const auto& [name, value] : written.items()) {
            const json& other = written.is_array() ? read[std::stoul(name)] : read[name];
            expect_same(other, value);
        }
    }

    static void expect_close(double read, double written) {
        expect(std::abs(read - written) <= kHalfOfTheLastDigit + std::abs(written) * kPrecision,
               "a number with a fraction keeps three decimals");
    }

    base::JsonWriter writer_;
    json current_ = json::object();
    std::vector<std::pair<std::string, json>> outer_;
};

}  // namespace

void try_input(Bytes input) {
    WriterAndModel both;
    for (Choices choices(input); choices.left();) both.act(choices);
    both.finish();
}

}  // namespace berth::fuzz
