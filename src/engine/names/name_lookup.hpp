// SPDX-License-Identifier: MIT
//
// NameLookup: an answer of a resolver on its way to a loop, which may be gone by then.
//
// Lifetime:  made by begin(), or for an early answer when that is given; destroys itself when it
//            has come back, or cannot.
// Threads:   begin() and run() on the loop's; the answer comes on any.

#pragma once

#include "engine/offload/way_back.hpp"
#include "loop/task.hpp"

#include <berth/connection_id.hpp>
#include <berth/resolver.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace berth::engine {

class NameLookup final : public loop::Task {
public:
    enum class Kind : std::uint8_t { whole, early };

    NameLookup(ConnectionId dial, std::shared_ptr<offload::WayBack> way, Kind kind)
        : dial_(dial), way_(std::move(way)), kind_(kind) {}

    // Asks; ConnectionTable::resolved follows, and before it may resolved_early.
    static void begin(Worker& worker, ConnectionId dial, NameQuery&& query);

    void run() override;
    void cancel() override { delete this; }

private:
    static void come_back(std::unique_ptr<NameLookup> lookup, Result<ResolvedName>&& answer);

    ConnectionId dial_;
    std::shared_ptr<offload::WayBack> way_;
    Kind kind_;
    std::optional<Result<ResolvedName>> answer_;
};

}  // namespace berth::engine
