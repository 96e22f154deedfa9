// SPDX-License-Identifier: MIT
//
// UringDriver, the bodies: readiness alone.
//
// One multishot poll for both directions. The kernel answers with what is so when it looks, at the
// beginning and at each change.
//
// Included by uring_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/uring/uring_driver.hpp"

namespace berth::driver {

inline constexpr std::uint16_t kWatchedEvents = POLLIN | POLLOUT | POLLRDHUP;

template <class Sink>
Outcome<void> UringDriver<Sink>::start_watch(Watched& watched) {
    if (!is_open(watched.descriptor)) return base::failed(EBADF);
    watched.odd = kWatched;
    watched.state = 0;
    watched.error = 0;
    ask_to_poll(watched, kWatchedEvents);
    return {};
}

template <class Sink>
void UringDriver<Sink>::stop_watch(Watched& watched) {
    if (is_finished(watched)) return;
    if ((watched.state & kPolling) != 0) cancel(watched, uring::Asked::poll);
    finish(watched);
}

template <class Sink>
void UringDriver<Sink>::deliver_ready(Watched& watched, const io_uring_cqe& answer) {
    const bool is_last = (answer.flags & IORING_CQE_F_MORE) == 0;
    if (is_finished(watched)) {
        if (is_last) answered(watched, kPolling);
        return;
    }
    if (is_last) ask_to_poll(watched, kWatchedEvents);
    const auto events = static_cast<std::uint32_t>(std::max(answer.res, 0));
    const std::uint32_t over = events & (POLLERR | POLLHUP);
    const Ready ready{.input = ((events & (POLLIN | POLLRDHUP)) | over) != 0,
                      .room = ((events & POLLOUT) | over) != 0};
    if (ready.input || ready.room) sink_.on_ready(watched, ready);
}

}  // namespace berth::driver
