// SPDX-License-Identifier: MIT
//
// StopRequest: who asked for a stop, and by when it must be over.
//
// The first caller is the one who asked; the earliest deadline of all callers counts.
//
// Threads:   any; also from a signal handler's aftermath and from callbacks.

#pragma once

#include <berth/clock.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>

namespace berth::engine {

class StopSource {
public:
    // As wide as the signal: atomics compare every byte, padding too, so there is none.
    enum class Kind : std::uint16_t { none, api, handler, signal, loop_failure, handover };

    constexpr StopSource() = default;
    constexpr StopSource(Kind kind, int signal = 0)
        : kind_(kind), signal_(static_cast<std::int16_t>(signal)) {}
    constexpr Kind kind() const { return kind_; }
    std::string to_string() const;

private:
    Kind kind_ = Kind::none;
    std::int16_t signal_ = 0;
};

static_assert(std::has_unique_object_representations_v<StopSource>);

class StopRequest {
public:
    void reset() {
        source_.store(StopSource());
        deadline_.store(Instant::never().since_epoch.count());
    }

    void ask(StopSource source, Deadline deadline) {
        std::int64_t current = deadline_.load();
        const std::int64_t wanted = deadline.since_epoch.count();
        while (wanted < current && !deadline_.compare_exchange_weak(current, wanted)) {
        }
        StopSource nobody;
        source_.compare_exchange_strong(nobody, source);
    }

    bool is_asked() const { return source().kind() != StopSource::Kind::none; }
    StopSource source() const { return source_.load(); }
    Deadline deadline() const { return {Duration(deadline_.load())}; }

private:
    std::atomic<StopSource> source_;
    std::atomic<std::int64_t> deadline_{Instant::never().since_epoch.count()};
};

}  // namespace berth::engine
