// SPDX-License-Identifier: MIT
//
// The default logger: one line per message to stderr, as journald or a person reads it.
//
// See:       sd-daemon(3) for the priority prefix, syslog(3) for its numbers.

#include <berth/logger.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace berth {

namespace {

struct Level {
    LogLevel level;
    std::string_view name;
    std::string_view journal_prefix;
};

// In the order of LogLevel.
constexpr std::array kLevels{
    Level{LogLevel::debug, "debug", "<7>"},
    Level{LogLevel::info, "info", "<6>"},
    Level{LogLevel::warning, "warning", "<4>"},
    Level{LogLevel::error, "error", "<3>"},
    Level{LogLevel::off, "off", ""},
};

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

class StderrLogger final : public Logger {
public:
    StderrLogger() { choose_threshold(environment("BERTH_LOG")); }

    void log(LogLevel level, std::string_view message) override {
        if (level < threshold_ || level >= LogLevel::off) return;
        const Level& entry = kLevels[static_cast<std::size_t>(level)];
        std::string line;
        if (journal_) {
            line.append(entry.journal_prefix);
        } else {
            line.append("berth: ").append(entry.name).append(": ");
        }
        line.append(message).append("\n");
        std::fwrite(line.data(), 1, line.size(), stderr);  // one call: lines do not mix
    }

private:
    void choose_threshold(std::string_view name) {
        if (name.empty()) return;
        for (const Level& entry : kLevels) {
            if (entry.name == name) {
                threshold_ = entry.level;
                return;
            }
        }
        log(LogLevel::warning, "BERTH_LOG=" + std::string(name) +
                                   " is none of debug, info, warning, error, off: using warning");
    }

    // journald names its stream by device and inode; that stderr is that stream is taken for
    // granted, a service that redirects it loses nothing but three characters per line.
    const bool journal_ = !environment("JOURNAL_STREAM").empty();
    LogLevel threshold_ = LogLevel::warning;
};

}  // namespace

Logger& default_logger() {
    static Logger& logger = *new StderrLogger;  // never destroyed: exit handlers may log
    return logger;
}

}  // namespace berth
