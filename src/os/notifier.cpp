// SPDX-License-Identifier: MIT
//
// Notifier: an eventfd, and a mark from before there was one.

#include "os/notifier.hpp"

#include "base/outcome.hpp"
#include "os/calls.hpp"

#include <berth/clock.hpp>

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace berth::os {

Notifier::~Notifier() {
    if (eventfd_ >= 0) close(eventfd_);
}

base::Outcome<void> Notifier::open() {
    if (eventfd_ >= 0) return {};
    const auto opened = open_eventfd();
    if (!opened) return base::failed(opened.errno_value());
    eventfd_ = *opened;
    return {};
}

// The mark is set first: whoever opens meanwhile sees the mark, or is seen here.
void Notifier::notify() const {
    if (eventfd_ < 0) is_remembered_ = true;
    if (const int eventfd = eventfd_; eventfd >= 0) raise_eventfd(eventfd);
}

// An error counts as a notification: whoever waits looks around, and comes again.
bool Notifier::wait(Duration timeout, std::span<const int> watched) {
    static_cast<void>(open());
    const bool is_remembered = is_remembered_.exchange(false);
    std::array<pollfd, 1 + kWatchedMax> room{};
    room[0] = {.fd = eventfd_, .events = POLLIN, .revents = 0};  // -1 is passed over, poll(2)
    const auto heard = watched.first(std::min(watched.size(), kWatchedMax));
    std::ranges::transform(heard, room.begin() + 1, [](int descriptor) {
        return pollfd{.fd = descriptor, .events = POLLIN, .revents = 0};
    });

    const auto ready = wait_readable(std::span(room).first(1 + heard.size()),
                                     is_remembered ? Duration::zero() : timeout);
    if (room[0].revents != 0) lower_eventfd(room[0].fd);
    return is_remembered || !ready || *ready > 0;
}

}  // namespace berth::os
