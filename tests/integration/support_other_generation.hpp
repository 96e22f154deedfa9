// SPDX-License-Identifier: MIT
//
// OtherGeneration: the other side of a handover, word by word, by hand.
//
// Lifetime:  gone, for the engine under test, when its object is or after leave().
// Errors:    a message that does not come within patience() fails the test and throws.

#pragma once

#include "driver/kernel_system.hpp"
#include "engine/handover/channel.hpp"
#include "engine/handover/meeting_point.hpp"
#include "support/eventually.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace berth::test {

namespace handover = engine::handover;

class OtherGeneration {
public:
    // Connects to who waits at `path`.
    void find(const std::string& path) {
        const auto found = handover::MeetingPoint::look_for(system(), path);
        if (!found || !driver::is_open(*found)) throw std::runtime_error("nobody waits");
        channel_.open(*found);
    }
    // Waits at `path` itself.
    void wait_at(const std::string& path) {
        ASSERT_TRUE(point_.wait_at(path, handover::MeetingPoint::Replace::any_socket));
    }
    void welcome() {
        ASSERT_TRUE(eventually([&] {
            const auto came = point_.welcome();
            if (came) channel_.open(*came);
            return came.has_value();
        }));
    }

    void say(const handover::Message& message, std::span<const driver::Descriptor> attached = {}) {
        ASSERT_TRUE(channel_.send(message, attached));
    }
    template <class Body>
    Body hear() {
        std::optional<handover::Arrival> arrival;
        const bool came = static_cast<bool>(eventually([&] {
            auto received = channel_.receive();
            if (received) arrival.emplace(std::move(*received));
            return arrival.has_value() || received.errno_value() == EPIPE;
        }));
        if (!came || !arrival) throw std::runtime_error("the other side has said nothing");
        attached_.push_back(std::move(arrival->attached));
        if (auto* refused = std::get_if<handover::Refused>(&arrival->message)) {
            if constexpr (!std::is_same_v<Body, handover::Refused>) {
                throw std::runtime_error("refused: " + refused->reason);
            }
        }
        return std::get<Body>(std::move(arrival->message));
    }
    // Has the other side gone?
    bool is_left() {
        return static_cast<bool>(
            eventually([&] { return channel_.receive().errno_value() == EPIPE; }));
    }
    void leave() {
        channel_.close();
        attached_.clear();
    }
    // What came with the message heard last.
    handover::Attached& attached() { return attached_.back(); }

    static driver::System& system() { return driver::kernel_system(); }

private:
    handover::Channel channel_{system()};
    handover::MeetingPoint point_{system()};
    std::vector<handover::Attached> attached_;
};

}  // namespace berth::test
