// SPDX-License-Identifier: MIT
//
// ConnectionTask: one call to a ConnectionId from any thread, on its way to the loop.
//
// Recycled, so that a post allocates nothing: the callable, the buffer and the completion all
// live in place.
//
// Lifetime:  made by make(), gives itself back when its completion has run.

#pragma once

#include "base/recycler.hpp"
#include "loop/task.hpp"
#include "net/write_waiter.hpp"

#include <berth/engine.hpp>

#include <cstdint>

namespace berth::engine {

class Worker;

class ConnectionTask final : public loop::Task, public net::WriteWaiter {
public:
    enum class Kind : std::uint8_t { post, write, wake, close };

    struct Call {
        Kind kind = Kind::wake;
        ConnectionId id;
        UniqueFunction<void(Connection&)> task = nullptr;
        Buffer bytes{};
        CloseMode mode = CloseMode::after_flush;
    };

    // Sends `call` to the worker's loop; false if that takes no more, and then `done` is not
    // called.
    static bool send(Worker& worker, Call&& call, Completion&& done);

    void run() override;
    void cancel() override;
    void finished(Delivery how) override;

private:
    void give_back();

    Worker* worker_ = nullptr;
    Call call_;
    Completion done_;
};

}  // namespace berth::engine
