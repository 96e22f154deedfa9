// SPDX-License-Identifier: MIT
//
// Counts: how this process's handovers went, for snapshots.
//
// Threads:   written by the coordinator, and before it by the starting thread; read by any.

#pragma once

#include "base/counter.hpp"

#include <berth/snapshot.hpp>

#include <atomic>
#include <cstdint>

namespace berth::engine::handover {

struct Counts {
    std::atomic<std::uint64_t> generation{0};
    base::Counter committed;
    base::Counter rolled_back;
    base::Counter failed;
    std::atomic<std::int64_t> successor{0};

    EngineSnapshot::Handovers snapshot() const {
        return {.generation = generation.load(),
                .committed = committed.value(),
                .rolled_back = rolled_back.value(),
                .failed = failed.value(),
                .successor = successor.load()};
    }
};

}  // namespace berth::engine::handover
