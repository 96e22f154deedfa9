// SPDX-License-Identifier: MIT
//
// NewListener: a socket on its way to the loop that will accept on it, while the engine runs.

#pragma once

#include "driver/system.hpp"
#include "engine/core.hpp"
#include "engine/worker.hpp"
#include "loop/task.hpp"
#include "net/entrance.hpp"

#include <cstddef>
#include <memory>

namespace berth::engine {

class NewListener final : public loop::Task {
public:
    static void send(Worker& target, driver::Descriptor socket, std::size_t listener,
                     const net::Entrance& entrance) {
        auto made =
            std::unique_ptr<NewListener>(new NewListener(target, socket, listener, entrance));
        if (target.loop().post(*made)) {
            // NOLINTNEXTLINE(bugprone-unused-return-value): it is on its way
            static_cast<void>(made.release());
        } else {
            made.release()->cancel();
        }
    }

    void run() override {
        target_.welcome_listener(socket_, listener_, entrance_);
        delete this;
    }

    // The target has left.
    void cancel() override {
        target_.core().system().close(socket_);
        target_.lose_listener(listener_);
        delete this;
    }

private:
    NewListener(Worker& target, driver::Descriptor socket, std::size_t listener,
                const net::Entrance& entrance)
        : target_(target), socket_(socket), listener_(listener), entrance_(entrance) {}

    Worker& target_;
    driver::Descriptor socket_;
    std::size_t listener_;
    const net::Entrance& entrance_;
};

}  // namespace berth::engine
