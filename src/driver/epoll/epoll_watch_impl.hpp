// SPDX-License-Identifier: MIT
//
// EpollDriver, the bodies: readiness alone.
//
// Edge-triggered, both directions at once: registered when it begins, and never touched again.
//
// Included by epoll_driver.hpp only; apart so that the class can be read on one screen.

#pragma once

#include "driver/epoll/epoll_driver.hpp"

namespace berth::driver {

template <class Sink>
Outcome<void> EpollDriver<Sink>::start_watch(Watched& watched) {
    watched.odd = kWatched;
    watched.state = 0;
    auto added = set_->add(watched, kStreamEvents);
    if (added) watched.state = kRegistered;
    return added;
}

template <class Sink>
void EpollDriver<Sink>::stop_watch(Watched& watched) {
    if (!is_finished(watched)) finish(watched);
}

template <class Sink>
void EpollDriver<Sink>::deliver_ready(Watched& watched, std::uint32_t events) {
    const std::uint32_t over = events & (EPOLLERR | EPOLLHUP);
    const Ready ready{.input = ((events & (EPOLLIN | EPOLLRDHUP)) | over) != 0,
                      .room = ((events & EPOLLOUT) | over) != 0};
    if (ready.input || ready.room) sink_.on_ready(watched, ready);
}

}  // namespace berth::driver
