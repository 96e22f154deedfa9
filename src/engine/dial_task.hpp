// SPDX-License-Identifier: MIT
//
// DialTask: an Engine::connect on its way to its loop.
//
// Lifetime:  made by send(), destroys itself when it has run or was cancelled.

#pragma once

#include "loop/task.hpp"

#include <berth/destination.hpp>
#include <berth/dial.hpp>

namespace berth::engine {

class Worker;

class DialTask final : public loop::Task {
public:
    // False: the worker's loop takes no more, and then `options.done` is not called.
    static bool send(Worker& worker, const Destination& to, DialOptions&& options);

    void run() override;
    void cancel() override;

private:
    DialTask(Worker& worker, Destination to, DialOptions&& options);
    void failed(Error&& error);

    Worker& worker_;
    Destination to_;
    DialOptions options_;
};

}  // namespace berth::engine
