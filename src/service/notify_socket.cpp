// SPDX-License-Identifier: MIT
//
// NotifySocket: socket, connect, send, close.

#include "service/notify_socket.hpp"

#include "driver/descriptor.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace berth::service {

std::optional<Endpoint> NotifySocket::parse(std::string_view name) {
    const bool is_named = name.starts_with('/') || name.starts_with('@');
    if (!is_named || name.size() < 2 || name.size() > Endpoint::kUnixNameMax) return {};
    return Endpoint(Scheme::unix_datagram, std::string(name));
}

void NotifySocket::send(std::string_view text, driver::Descriptor attached) {
    if (kept_.size() == kKeptMax) kept_.pop_front();
    kept_.push_back({.text = std::string(text), .attached = attached});
    flush();
}

bool NotifySocket::flush() {
    while (!kept_.empty()) {
        const int error = deliver(kept_.front());
        if (error == EAGAIN) return false;
        if (error != 0) failure_ = error;
        kept_.pop_front();
    }
    return true;
}

// The errno; 0 when it was taken.
int NotifySocket::deliver(const Message& message) {
    const auto socket = system_.open_socket(manager_);
    if (!socket) return socket.errno_value();
    const std::span<const driver::Descriptor> attached(&message.attached, 1);
    const std::size_t attached_count = driver::is_open(message.attached) ? 1 : 0;
    auto done = system_.connect(*socket, manager_);
    if (done) {
        done =
            system_.send_message(*socket, as_bytes(message.text), attached.first(attached_count));
    }
    system_.close(*socket);
    return done.errno_value();
}

}  // namespace berth::service
