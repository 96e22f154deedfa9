// SPDX-License-Identifier: MIT
//
// InFlight: a token for a request that is being worked on.
//
//     auto token = peer.begin();
//     pool.submit([token = std::move(token)] { … });    // a stop waits for the answer
//
// A connection that has one is busy: a graceful stop sends its FIN only after the last one is
// gone, or at the deadline. It keeps nothing else alive.
//
// Lifetime:  may outlive its connection and its callback; not its Engine.
// Threads:   any; moved and destroyed wherever the work goes.

#pragma once

#include <berth/connection_id.hpp>
#include <berth/export.hpp>

namespace berth {

class Engine;

class BERTH_EXPORT InFlight {
public:
    InFlight() = default;  // of nothing
    InFlight(Engine& engine, ConnectionId id) : engine_(&engine), id_(id) {}
    InFlight(InFlight&& other) noexcept;
    InFlight& operator=(InFlight&& other) noexcept;
    ~InFlight();

    ConnectionId id() const { return id_; }
    // The same as destroying it.
    void release();

private:
    Engine* engine_ = nullptr;
    ConnectionId id_;
};

}  // namespace berth
