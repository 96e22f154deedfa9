// SPDX-License-Identifier: MIT
//
// Logger: where an engine's messages go.
//
// berth logs lifecycle transitions and failures, never per message or per connection. Each
// engine has its own logger; the default writes one line per message to stderr, with a syslog
// priority prefix when journald reads it (JOURNAL_STREAM, sd-daemon(3)).
//
// Lifetime:  must outlive the engine.
// Threads:   log() is called from any thread, also from several at once.

#pragma once

#include <berth/export.hpp>

#include <cstdint>
#include <string_view>

namespace berth {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

class BERTH_EXPORT Logger {
public:
    virtual ~Logger() = default;
    // One message without a line end. A throw is swallowed.
    virtual void log(LogLevel level, std::string_view message) = 0;
};

// The default: stderr, from the level named by the environment variable BERTH_LOG
// (debug, info, warning, error, off); warning when it is unset. Lives for ever.
BERTH_EXPORT Logger& default_logger();

}  // namespace berth
