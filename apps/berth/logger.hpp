// SPDX-License-Identifier: MIT
//
// SpdlogLogger: the engine's messages through spdlog, on stderr.
//
// Coloured on a terminal, unless NO_COLOR is set (no-color.org). The environment variable
// BERTH_LOG names the level, as for the library's own logger: warning when it is unset.
//
// Lifetime:  outlives the engine.
// Threads:   any, as berth::Logger asks.

#pragma once

#include <berth/logger.hpp>

#include <spdlog/fwd.h>

#include <memory>
#include <string_view>

namespace berth::app {

class SpdlogLogger final : public Logger {
public:
    SpdlogLogger();
    void log(LogLevel level, std::string_view message) override;

private:
    std::shared_ptr<spdlog::logger> logger_;  // spdlog owns its loggers that way
};

}  // namespace berth::app
