// SPDX-License-Identifier: MIT
//
// Exposition: names, labels, values.

#include "observe/exposition.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>

namespace berth::observe {

namespace {

std::string_view to_string(MetricType type) {
    switch (type) {
        case MetricType::gauge: return "gauge";
        case MetricType::counter: return "counter";
        case MetricType::histogram: return "histogram";
    }
    return "untyped";
}

// The shortest text that reads back as the same number.
std::string seconds(Duration duration) {
    std::array<char, 32> room{};
    const double value = std::chrono::duration<double>(duration).count();
    const auto end = std::to_chars(room.data(), room.data() + room.size(), value);
    return {room.data(), end.ptr};
}

void append_escaped(std::string& text, std::string_view value) {
    for (const char character : value) {
        if (character == '\n') {
            text += "\\n";
            continue;
        }
        if (character == '\\' || character == '"') text += '\\';
        text += character;
    }
}

}  // namespace

Exposition& Exposition::family(std::string_view name, MetricType type, std::string_view help) {
    family_ = name;
    text_.append("# HELP ").append(name).append(1, ' ').append(help);
    text_.append("\n# TYPE ").append(name).append(1, ' ').append(to_string(type)).append(1, '\n');
    return *this;
}

Exposition& Exposition::sample(std::uint64_t value, Labels labels) {
    line({}, labels, {}, std::to_string(value));
    return *this;
}

Exposition& Exposition::sample(Duration value, Labels labels) {
    line({}, labels, {}, seconds(value));
    return *this;
}

Exposition& Exposition::sample(const DurationHistogram& histogram, Labels labels) {
    const auto& bounds = DurationHistogram::kBounds;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        line("_bucket", labels, {"le", seconds(bounds[i])}, std::to_string(histogram.buckets[i]));
    }
    const std::string count = std::to_string(histogram.buckets.back());
    line("_bucket", labels, {"le", "+Inf"}, count);
    line("_sum", labels, {}, seconds(histogram.sum));
    line("_count", labels, {}, count);
    return *this;
}

void Exposition::line(std::string_view suffix, Labels labels, Label last, std::string_view value) {
    text_.append(family_).append(suffix);
    char before = '{';
    for (const Label& one : labels) {
        label(one, before);
        before = ',';
    }
    if (!last.name.empty()) {
        label(last, before);
        before = ',';
    }
    if (before == ',') text_ += '}';
    text_.append(1, ' ').append(value).append(1, '\n');
}

void Exposition::label(Label label, char before) {
    text_.append(1, before).append(label.name).append("=\"");
    append_escaped(text_, label.value);
    text_ += '"';
}

}  // namespace berth::observe
