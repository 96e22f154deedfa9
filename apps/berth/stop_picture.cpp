// SPDX-License-Identifier: MIT
//
// Stop picture: a stacked area above, a row of bars per phase below, one axis of time.

#include "stop_picture.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

namespace berth::app {

namespace {

constexpr double kWidth = 960;
constexpr double kLeft = 110;
constexpr double kRight = 930;
constexpr double kAreaTop = 70;
constexpr double kAreaBottom = 270;
constexpr double kBarsTop = 300;
constexpr double kRowHeight = 24;
constexpr double kBarHeight = 14;

struct Band {
    std::string_view name;
    std::string_view colour;
    std::uint64_t StopStory::Sample::* count;
};
// From the bottom up: who is left longest is at the bottom.
constexpr std::array kBands{
    Band{"lingering: our goodbye is out", "#9aa5b1", &StopStory::Sample::lingering},
    Band{"flushing: owed output", "#e0a030", &StopStory::Sample::flushing},
    Band{"serving", "#2b7a78", &StopStory::Sample::serving},
};

constexpr std::string_view kPhaseColour = "#4c78a8";
constexpr std::string_view kForceColour = "#b3392f";

std::string escaped(std::string_view text) {
    std::string safe;
    for (const char character : text) {
        switch (character) {
            case '&': safe += "&amp;"; break;
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '"': safe += "&quot;"; break;
            default: safe += static_cast<unsigned char>(character) < ' ' ? ' ' : character;
        }
    }
    return safe;
}

std::string with_unit(double value) { return fmt::format("{:.{}f} ms", value, value < 10 ? 2 : 0); }

class Picture {
public:
    explicit Picture(const StopStory& story) : story_(story) {
        for (const StopStory::Phase& phase : story.phases) {
            end_ms_ = std::max(end_ms_, phase.start_ms + phase.duration_ms);
        }
        for (const StopStory::Sample& sample : story.samples) {
            end_ms_ = std::max(end_ms_, sample.at_ms);
            most_ = std::max(most_, sample.serving + sample.flushing + sample.lingering);
        }
        end_ms_ = std::max({end_ms_, story.duration_ms, 0.001});
    }

    std::string draw() {
        open();
        draw_bands();
        draw_axes();
        draw_legend();
        draw_phases();
        draw_deadline();
        svg_ += "</svg>\n";
        return std::move(svg_);
    }

private:
    template <class... Values>
    void add(fmt::format_string<Values...> format, Values&&... values) {
        svg_ += fmt::format(format, std::forward<Values>(values)...);
        svg_ += '\n';
    }
    double x(double at_ms) const { return kLeft + (kRight - kLeft) * at_ms / end_ms_; }
    double y(std::uint64_t count) const {
        const double share = static_cast<double>(count) / static_cast<double>(most_);
        return kAreaBottom - (kAreaBottom - kAreaTop) * share;
    }
    double bottom() const {
        return kBarsTop + kRowHeight * static_cast<double>(story_.phases.size());
    }

    void open();
    void draw_bands();
    void draw_axes();
    void draw_legend();
    void draw_phases();
    void draw_deadline();
    double step() const;

    const StopStory& story_;
    double end_ms_ = 0;
    std::uint64_t most_ = 1;
    std::string svg_;
};

void Picture::open() {
    const double height = bottom() + 40;
    add(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}")"
        R"( height="{1:.0f}" font-family="sans-serif" font-size="12" fill="#222">)",
        kWidth, height);
    const std::string title = fmt::format("Stop by {}: {} in {}", escaped(story_.requested_by),
                                          escaped(story_.outcome), with_unit(story_.duration_ms));
    add("<title>{}</title>", title);
    add(R"(<rect width="{:.0f}" height="{:.0f}" fill="#fff"/>)", kWidth, height);
    add(R"(<text x="{:.0f}" y="24" font-size="15">{}</text>)", kLeft, title);
}

// Each band from what is below it up to itself, there and back.
void Picture::draw_bands() {
    for (std::size_t band = 0; band < kBands.size(); ++band) {
        const auto height = [&](const StopStory::Sample& sample, std::size_t bands) {
            std::uint64_t sum = 0;
            for (std::size_t i = 0; i < bands; ++i) sum += sample.*kBands[i].count;
            return y(sum);
        };
        std::string points;
        for (const StopStory::Sample& sample : story_.samples) {
            points += fmt::format("{:.1f},{:.1f} ", x(sample.at_ms), height(sample, band + 1));
        }
        for (const StopStory::Sample& sample : std::views::reverse(story_.samples)) {
            points += fmt::format("{:.1f},{:.1f} ", x(sample.at_ms), height(sample, band));
        }
        if (points.empty()) continue;
        points.pop_back();
        add(R"(<polygon points="{}" fill="{}"/>)", points, kBands[band].colour);
    }
}

// 1, 2 or 5 times a power of ten, so that there are four to ten steps.
double Picture::step() const {
    const double power = std::pow(10, std::floor(std::log10(end_ms_ / 4)));
    const double rest = end_ms_ / 4 / power;
    return power * (rest >= 5 ? 5 : rest >= 2 ? 2 : 1);
}

void Picture::draw_axes() {
    constexpr std::string_view kLine =
        R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}"/>)";
    const auto count = static_cast<int>(std::floor(end_ms_ / step()));
    for (int tick = 0; tick <= count; ++tick) {
        const double at = step() * tick;
        add(kLine, x(at), kAreaTop, x(at), bottom(), "#ddd");
        add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{:g}</text>)", x(at), bottom() + 16,
            at);
    }
    add(kLine, kLeft, kAreaBottom, kRight, kAreaBottom, "#222");
    add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">ms since the request</text>)", kRight,
        bottom() + 32);
    add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)", kLeft - 8, kAreaTop + 4,
        most_);
    add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">0</text>)", kLeft - 8, kAreaBottom);
    add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">connections</text>)", kLeft - 8,
        (kAreaTop + kAreaBottom) / 2);
}

void Picture::draw_legend() {
    constexpr double kPitch = 230;
    double at = kLeft;
    for (const Band& band : kBands) {
        add(R"(<rect x="{:.1f}" y="40" width="12" height="12" fill="{}"/>)", at, band.colour);
        add(R"(<text x="{:.1f}" y="50">{}</text>)", at + 18, band.name);
        at += kPitch;
    }
}

void Picture::draw_phases() {
    double top = kBarsTop;
    for (const StopStory::Phase& phase : story_.phases) {
        const double width = std::max(x(phase.start_ms + phase.duration_ms) - x(phase.start_ms),
                                      1.0);  // what is short is there all the same
        const bool is_late = x(phase.start_ms) > (kLeft + kRight) / 2;
        const double text_x = is_late ? x(phase.start_ms) - 6 : x(phase.start_ms) + width + 6;
        const bool fits_behind = text_x < kRight - 60;
        add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)", kLeft - 8, top + 12,
            escaped(phase.name));
        add(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.0f}" fill="{}"/>)",
            x(phase.start_ms), top, width, kBarHeight,
            phase.name == "force" ? kForceColour : kPhaseColour);
        if (is_late || fits_behind) {
            add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", text_x, top + 12,
                is_late ? "end" : "start", with_unit(phase.duration_ms));
        } else {
            add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end" fill="#fff">{}</text>)",
                x(phase.start_ms) + width - 6, top + 12, with_unit(phase.duration_ms));
        }
        top += kRowHeight;
    }
}

// Only a stop that came near it has it in the picture.
void Picture::draw_deadline() {
    if (story_.deadline_ms > end_ms_) return;
    add(R"(<line x1="{0:.1f}" y1="{1:.1f}" x2="{0:.1f}" y2="{2:.1f}" stroke="{3}")"
        R"( stroke-dasharray="4 3"/>)",
        x(story_.deadline_ms), kAreaTop - 10, bottom(), kForceColour);
    add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end" fill="{}">deadline</text>)",
        x(story_.deadline_ms) - 4, kAreaTop - 2, kForceColour);
}

}  // namespace

std::string draw(const StopStory& story) { return Picture(story).draw(); }

}  // namespace berth::app
