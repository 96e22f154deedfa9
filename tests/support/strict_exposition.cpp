// SPDX-License-Identifier: MIT
//
// StrictExposition: line by line.

#include "support/strict_exposition.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace berth::test {

namespace {

bool is_letter(char one) { return (one >= 'a' && one <= 'z') || one == '_'; }
bool is_digit(char one) { return one >= '0' && one <= '9'; }

// berth writes lower case only; the format would take more.
std::size_t name_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() &&
           (is_letter(text[length]) || (length > 0 && is_digit(text[length])))) {
        ++length;
    }
    return length;
}

std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return {};
    return value;
}

// The length of {name="value",…}; 0: it is not that.
std::size_t labels_length(std::string_view text) {
    std::size_t at = 1;
    while (true) {
        const std::size_t name = name_length(text.substr(at));
        at += name;
        if (name == 0 || text.substr(at, 2) != "=\"") return 0;
        for (at += 2; at < text.size() && text[at] != '"'; ++at) {
            if (text[at] != '\\') continue;
            ++at;
            if (at == text.size() || std::string_view("\\\"n").find(text[at]) == text.npos) {
                return 0;
            }
        }
        if (at + 1 >= text.size()) return 0;
        const char after = text[++at];
        ++at;
        if (after == '}') return at;
        if (after != ',') return 0;
    }
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> ends) {
    return std::ranges::any_of(ends, [&](auto end) { return text.ends_with(end); });
}

}  // namespace

StrictExposition::StrictExposition(std::string_view text) {
    if (!text.empty() && text.back() != '\n') complain("does not end with a line end", "");
    while (!text.empty()) {
        const auto end = text.find('\n');
        read_line(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    for (const auto& [name, family] : families_) check_family(name, family);
}

double StrictExposition::value(const std::string& sample) const {
    for (const auto& [name, family] : families_) {
        const auto found = family.samples.find(sample);
        if (found != family.samples.end()) return found->second;
    }
    return -1;
}

void StrictExposition::complain(std::string_view what, std::string_view line) {
    complaints_.push_back(std::string(what) + ": " + std::string(line));
}

void StrictExposition::read_line(std::string_view line) {
    if (line.starts_with("# HELP ")) return read_help(line.substr(7));
    if (line.starts_with("# TYPE ")) return read_type(line.substr(7));
    if (line.empty() || line.front() == '#') return complain("neither help, type nor sample", line);
    read_sample(line);
}

void StrictExposition::read_help(std::string_view line) {
    const std::size_t length = name_length(line);
    current_ = line.substr(0, length);
    if (families_.contains(current_)) complain("a family in two places", line);
    if (line.substr(length, 1) != " " || line.size() < length + 2) complain("no help", line);
    families_[current_].help = line.substr(std::min(length + 1, line.size()));
}

void StrictExposition::read_type(std::string_view line) {
    const std::size_t length = name_length(line);
    if (line.substr(0, length) != current_) return complain("type of another family", line);
    families_[current_].type = line.substr(std::min(length + 1, line.size()));
}

void StrictExposition::read_sample(std::string_view line) {
    std::size_t length = name_length(line);
    const std::string_view name = line.substr(0, length);
    const bool is_histogram = families_[current_].type == "histogram";
    const bool is_part = is_histogram && name.starts_with(current_) &&
                         ends_with_any(name, {"_bucket", "_sum", "_count"});
    if (name != current_ && !is_part) return complain("sample of another family", line);
    if (line.substr(length, 1) == "{") {
        const std::size_t labels = labels_length(line.substr(length));
        if (labels == 0) return complain("bad labels", line);
        length += labels;
    }
    if (line.substr(length, 1) != " ") return complain("no value", line);
    const auto value = number(line.substr(length + 1));
    if (!value || !std::isfinite(*value)) return complain("not a number", line);
    const auto added = families_[current_].samples.emplace(line.substr(0, length), *value);
    if (!added.second) complain("a sample twice", line);
}

void StrictExposition::check_family(const std::string& name, const MetricFamily& family) {
    const bool is_counter = family.type == "counter";
    if (is_counter != name.ends_with("_total")) complain("_total and counters", name);
    if (!name.starts_with("berth_")) complain("not ours", name);
    if (ends_with_any(name, {"_bucket", "_sum", "_count", "_ms", "_bytes_seconds"})) {
        complain("a name that is reserved, or a unit that is not the base one", name);
    }
    if (family.type == "histogram") return check_histogram(name, family);
    if (!is_counter && family.type != "gauge") complain("an unknown type", name);
    for (const auto& [sample, value] : family.samples) {
        if (value < 0) complain("below 0", sample);
    }
}

// Buckets are found in the order of writing no more: by their bound.
void StrictExposition::check_histogram(const std::string& name, const MetricFamily& family) {
    std::map<std::string, std::map<double, double>> buckets;  // by labels without le
    for (const auto& [sample, value] : family.samples) {
        const auto le = sample.find("le=\"");
        if (le == sample.npos) continue;
        const auto bound = sample.substr(le + 4, sample.find('"', le + 4) - le - 4);
        const double at =
            bound == "+Inf" ? std::numeric_limits<double>::infinity() : number(bound).value_or(-1);
        std::string labels = sample.substr(name.size() + 7, le - name.size() - 7);
        if (labels.back() == ',') labels.back() = '}';
        if (labels == "{") labels.clear();
        buckets[labels][at] = value;
    }
    if (buckets.empty()) complain("no buckets", name);
    for (const auto& [labels, by_bound] : buckets) {
        const auto falls = std::ranges::adjacent_find(
            by_bound, [](const auto& a, const auto& b) { return b.second < a.second; });
        if (falls != by_bound.end()) complain("buckets fall", name + labels);
        if (!std::isinf(by_bound.rbegin()->first)) complain("no +Inf", name + labels);
        if (value(name + "_count" + labels) != by_bound.rbegin()->second) {
            complain("_count is not the last bucket", name + labels);
        }
        if (value(name + "_sum" + labels) < 0) complain("no _sum", name + labels);
    }
}

}  // namespace berth::test
