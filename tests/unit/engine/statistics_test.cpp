// SPDX-License-Identifier: MIT
//
// Statistics: what stops and failed starts leave behind.

#include "engine/statistics.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>

namespace berth::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SomeStatistics : public testing::Test {
protected:
    // At second 100, in that state.
    EngineSnapshot written(EngineState state) const {
        EngineSnapshot snapshot;
        snapshot.at = {seconds{100}};
        snapshot.state = state;
        statistics.write_to(snapshot);
        return snapshot;
    }
    static Error taken(PortCause cause) {
        PortDiagnosis port;
        port.cause = cause;
        return Error(ErrorCode::address_in_use, "bind").held_by(std::move(port));
    }
    static std::uint64_t failures(const EngineSnapshot& snapshot, PortCause cause) {
        return snapshot.bind_failures[static_cast<std::size_t>(cause)];
    }
    std::uint64_t rebinds() const {
        return written(EngineState::stopped).rebind_seconds.buckets.back();
    }

    Statistics statistics;
};

TEST_F(SomeStatistics, UptimeIsThatOfAnEngineThatRuns) {
    statistics.ready({seconds{90}});
    EXPECT_EQ(written(EngineState::ready).uptime, seconds{10});
    EXPECT_EQ(written(EngineState::draining).uptime, seconds{10});
    EXPECT_EQ(written(EngineState::stopped).uptime, Duration::zero());
    EXPECT_EQ(written(EngineState::booting).uptime, Duration::zero()) << "of the next run";
}

TEST_F(SomeStatistics, ElapsedIsOfTheStopUnderWayOrOfTheLast) {
    EXPECT_EQ(written(EngineState::ready).stop.elapsed, Duration::zero());
    statistics.stopping({seconds{97}});
    EXPECT_EQ(written(EngineState::draining).stop.elapsed, seconds{3});
    StopReport report;
    report.duration = milliseconds{3'500};
    statistics.stopped(report);
    EXPECT_EQ(written(EngineState::stopped).stop.elapsed, milliseconds{3'500});
}

TEST_F(SomeStatistics, StopsAreCountedByOutcomeAndPhase) {
    StopReport report;
    report.outcome = StopOutcome::forced;
    report.phases = {{.name = "drain", .start = {}, .duration = seconds{2}},
                     {.name = "a phase of tomorrow", .start = {}, .duration = seconds{1}}};
    statistics.stopped(report);
    statistics.stopped(report);
    const EngineSnapshot snapshot = written(EngineState::stopped);
    EXPECT_EQ(snapshot.stops[static_cast<std::size_t>(StopOutcome::forced)], 2U);
    EXPECT_EQ(snapshot.stop_phase_seconds[2].buckets.back(), 2U);
    EXPECT_EQ(snapshot.stop_phase_seconds[2].sum, seconds{4});
}

TEST_F(SomeStatistics, RebindCountsOnlyWhereEveryAddressWasFree) {
    StopReport report;
    report.phases = {{.name = "verify", .start = {}, .duration = milliseconds{1}}};
    statistics.stopped(report);
    EXPECT_EQ(rebinds(), 0U) << "there was no address";
    report.listeners.resize(2);
    report.listeners[0].released = true;
    statistics.stopped(report);
    EXPECT_EQ(rebinds(), 0U) << "one is held";
    report.listeners[1].released = true;
    statistics.stopped(report);
    EXPECT_EQ(rebinds(), 1U);
}

TEST_F(SomeStatistics, TakenAddressesAreCountedByCause) {
    statistics.start_failed(taken(PortCause::live_listener));
    statistics.start_failed(Error(ErrorCode::address_in_use, "bind"));
    statistics.start_failed(Error(ErrorCode::handler_failed, "on_boot"));
    const EngineSnapshot snapshot = written(EngineState::failed);
    EXPECT_EQ(failures(snapshot, PortCause::live_listener), 1U);
    EXPECT_EQ(failures(snapshot, PortCause::unknown), 1U) << "nobody had looked";
}

}  // namespace
}  // namespace berth::engine
