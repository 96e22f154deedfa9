// SPDX-License-Identifier: MIT
//
// Channel: one end of the conversation between two generations.
//
// Lifetime:  owns its socket; closing it is how the other side learns that this one is gone.
// Threads:   one at a time.
// Errors:    errno values: EAGAIN later; EPIPE the other side is gone; EPROTO what came is not a
//            message; EPROTONOSUPPORT it is one of another version. After all but EAGAIN the
//            channel is of no more use.

#pragma once

#include "driver/system.hpp"
#include "engine/handover/messages.hpp"

#include <berth/clock.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace berth::engine::handover {

// Nothing tells when a channel that is full has room again.
inline constexpr Duration kTryAgainAfter = std::chrono::milliseconds{2};

// Descriptors that came along; closed with it, unless taken.
class Attached {
public:
    explicit Attached(driver::System& system) : system_(&system) {}
    Attached(driver::System& system, std::vector<driver::Descriptor> descriptors)
        : system_(&system), descriptors_(std::move(descriptors)) {}
    Attached(Attached&& other) noexcept
        : system_(other.system_), descriptors_(std::exchange(other.descriptors_, {})) {}
    Attached& operator=(Attached&& other) noexcept {
        std::swap(system_, other.system_);
        std::swap(descriptors_, other.descriptors_);
        return *this;
    }
    ~Attached();

    std::size_t size() const { return descriptors_.size(); }
    driver::Descriptor operator[](std::size_t index) const { return descriptors_[index]; }
    driver::Descriptor take(std::size_t index) {
        return std::exchange(descriptors_[index], driver::Descriptor::none);
    }

private:
    driver::System* system_;
    std::vector<driver::Descriptor> descriptors_;
};

struct Arrival {
    Message message;
    Attached attached;
};

class Channel {
public:
    explicit Channel(driver::System& system) : system_(system) {}
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel() { close(); }

    // Takes over a connected socket.
    void open(driver::Descriptor socket);
    void close();
    bool is_open() const { return driver::is_open(socket_); }
    driver::Descriptor descriptor() const { return socket_; }

    // The descriptors stay the caller's.
    base::Outcome<void> send(const Message& message,
                             std::span<const driver::Descriptor> attached = {});
    base::Outcome<Arrival> receive();

private:
    base::Outcome<driver::Message> receive_packet();

    driver::System& system_;
    driver::Descriptor socket_ = driver::Descriptor::none;
    std::vector<std::byte> room_;
};

}  // namespace berth::engine::handover
