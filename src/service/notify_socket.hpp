// SPDX-License-Identifier: MIT
//
// NotifySocket: where NOTIFY_SOCKET says that a service manager listens.
//
// The plain protocol, a datagram per message. Nothing waits: what the manager has no room for is
// kept, in order, and sent again by flush(). A manager that is not there loses the message; it is
// not the server's failure, as in sd_notify(3). Each message has a socket of its own, so that
// nothing is open between two of them.
//
// Lifetime:  the System outlives it. Attached descriptors stay the caller's, open until sent.
// Threads:   one.
// See:       sd_notify(3), unix(7); docs/decisions/0012-sd-notify.md.

#pragma once

#include "driver/descriptor.hpp"
#include "driver/system.hpp"

#include <berth/endpoint.hpp>

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace berth::service {

class NotifySocket {
public:
    // `name`: a path, or '@' and an abstract name. Others are not understood: none.
    static std::optional<Endpoint> parse(std::string_view name);

    NotifySocket(driver::System& system, Endpoint manager)
        : system_(system), manager_(std::move(manager)) {}

    void send(std::string_view text, driver::Descriptor attached = driver::Descriptor::none);
    // Sends what is left. True: nothing is.
    bool flush();
    // What became of the last message that could not be delivered at all, as an errno; 0: none.
    int failure() const { return failure_; }

private:
    struct Message {
        std::string text;
        driver::Descriptor attached;
    };
    static constexpr std::size_t kKeptMax = 64;  // then the manager does not read any more

    int deliver(const Message& message);

    driver::System& system_;
    Endpoint manager_;
    std::deque<Message> kept_;
    int failure_ = 0;
};

}  // namespace berth::service
