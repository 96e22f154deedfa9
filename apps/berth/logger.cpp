// SPDX-License-Identifier: MIT
//
// SpdlogLogger: levels, a pattern, and the choice of colour.

#include "logger.hpp"

#include "system.hpp"

#include <berth/logger.hpp>

#include <spdlog/common.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace berth::app {

namespace {

spdlog::color_mode colour_wanted() {
    const char* const no_color = std::getenv("NO_COLOR");
    const bool refused = no_color != nullptr && *no_color != '\0';
    return stderr_is_terminal() && !refused ? spdlog::color_mode::always
                                            : spdlog::color_mode::never;
}

spdlog::level::level_enum level_wanted() {
    const char* const name = std::getenv("BERTH_LOG");
    // Of an unknown name from_str makes `off`, and a typing error must not hide errors.
    if (name == nullptr) return spdlog::level::warn;
    const auto level = spdlog::level::from_str(name);
    const bool is_known = level != spdlog::level::off || std::string_view(name) == "off";
    return is_known ? level : spdlog::level::warn;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warning: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
        case LogLevel::off: break;
    }
    return spdlog::level::off;
}

}  // namespace

SpdlogLogger::SpdlogLogger()
    : logger_(std::make_shared<spdlog::logger>(
          "berth", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(colour_wanted()))) {
    logger_->set_level(level_wanted());
    logger_->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %^%l%$: %v");
}

void SpdlogLogger::log(LogLevel level, std::string_view message) {
    logger_->log(spdlog_level(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace berth::app
