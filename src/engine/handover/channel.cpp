// SPDX-License-Identifier: MIT
//
// Channel: packets, and what a broken one means.

#include "engine/handover/channel.hpp"

#include <cerrno>
#include <utility>

namespace berth::engine::handover {

namespace {

// Room for several of the largest messages; the kernel clips it to wmem_max.
constexpr int kSendBuffer = 1 << 20;

int as_peer_gone(int errno_value) { return errno_value == ECONNRESET ? EPIPE : errno_value; }

}  // namespace

Attached::~Attached() {
    for (const driver::Descriptor descriptor : descriptors_) {
        if (driver::is_open(descriptor)) system_->close(descriptor);
    }
}

void Channel::open(driver::Descriptor socket) {
    close();
    socket_ = socket;
    room_.resize(kMessageMax);
    static_cast<void>(system_.set(socket_, driver::SocketOption::send_buffer, kSendBuffer));
}

void Channel::close() {
    if (!is_open()) return;
    system_.close(std::exchange(socket_, driver::Descriptor::none));
    room_ = {};
}

base::Outcome<void> Channel::send(const Message& message,
                                  std::span<const driver::Descriptor> attached) {
    if (!is_open()) return base::failed(EPIPE);
    auto sent = system_.send_message(socket_, encode(message), attached);
    if (!sent) return base::failed(as_peer_gone(sent.errno_value()));
    return sent;
}

// Who closes with something unread resets the other end, which hears of it once, before what was
// said last: a refusal, perhaps.
base::Outcome<driver::Message> Channel::receive_packet() {
    auto received = system_.receive_message(socket_, room_);
    if (received.errno_value() == ECONNRESET) {
        received = system_.receive_message(socket_, room_);
        if (received.errno_value() == EAGAIN) return base::failed(EPIPE);
    }
    return received;
}

base::Outcome<Arrival> Channel::receive() {
    if (!is_open()) return base::failed(EPIPE);
    auto received = receive_packet();
    if (!received) return base::failed(as_peer_gone(received.errno_value()));
    Attached attached(system_, std::move(received->attached));
    if (received->size == 0) return base::failed(EPIPE);
    auto message = decode(Bytes(room_).first(received->size));
    if (!message) return base::failed(message.errno_value());
    return Arrival{std::move(*message), std::move(attached)};
}

}  // namespace berth::engine::handover
