// SPDX-License-Identifier: MIT
//
// Exposition: writes metrics as the text that Prometheus scrapes.
//
// A family is begun with its type and help; its samples follow, one per set of labels. It is
// small on purpose: a library for it would become the dependency of everyone who links berth.
//
// See:       the text format, version 0.0.4: prometheus.io/docs/instrumenting/exposition_formats.

#pragma once

#include <berth/snapshot.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace berth::observe {

enum class MetricType : std::uint8_t { gauge, counter, histogram };

struct Label {
    std::string_view name;
    std::string_view value;  // any text: it is escaped
};

class Exposition {
public:
    using Labels = std::initializer_list<Label>;

    Exposition& family(std::string_view name, MetricType type, std::string_view help);
    Exposition& sample(std::uint64_t value, Labels labels = {});
    Exposition& sample(Duration value, Labels labels = {});  // in seconds
    Exposition& sample(const DurationHistogram& histogram, Labels labels = {});

    const std::string& text() const { return text_; }

private:
    void line(std::string_view suffix, Labels labels, Label last, std::string_view value);
    void label(Label label, char before);

    std::string text_;
    std::string family_;
};

}  // namespace berth::observe
