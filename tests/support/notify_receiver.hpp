// SPDX-License-Identifier: MIT
//
// NotifyReceiver: the socket that NOTIFY_SOCKET names, as a service manager has it.
//
// Lifetime:  what it is sent waits in its queue until it is asked for.
// Errors:    throws std::runtime_error when the socket cannot be made.
// See:       sd_notify(3).

#pragma once

#include "raw_socket.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {

class NotifyReceiver {
public:
    // `name`: a path, or '@' and an abstract name.
    explicit NotifyReceiver(const std::string& name);

    // The next message; empty when none has come.
    std::string receive_now();
    // Takes messages until one contains `text`, within patience(): false if none does.
    bool hears(std::string_view text);

    // All that has been received, in order; and the descriptors that came along.
    const std::vector<std::string>& heard() const { return heard_; }
    std::size_t descriptors_received() const { return attached_.size(); }

private:
    OwnedDescriptor socket_;
    std::vector<std::string> heard_;
    std::vector<OwnedDescriptor> attached_;
};

}  // namespace berth::test
