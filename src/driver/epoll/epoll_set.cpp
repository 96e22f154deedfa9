// SPDX-License-Identifier: MIT
//
// EpollSet: the epoll instance, its wake-up descriptor, and the waiting.

#include "driver/epoll/epoll_driver.hpp"
#include "driver/left_until.hpp"

#include <utility>

namespace berth::driver {

Outcome<EpollSet> EpollSet::open(Source& wake_source) {
    auto epoll = os::open_epoll();
    if (!epoll) return base::failed(epoll.errno_value());
    auto event = os::open_eventfd();
    if (!event) {
        os::close(*epoll);
        return base::failed(event.errno_value());
    }
    EpollSet set(*epoll, *event);
    wake_source.descriptor = Descriptor{*event};
    auto added = set.add(wake_source, EPOLLIN | EPOLLET);
    if (!added) return base::failed(added.errno_value());
    return set;
}

EpollSet::EpollSet(EpollSet&& other) noexcept
    : epoll_(std::exchange(other.epoll_, -1)), event_(std::exchange(other.event_, -1)) {}

EpollSet::~EpollSet() {
    if (event_ >= 0) os::close(event_);
    if (epoll_ >= 0) os::close(epoll_);
}

Outcome<void> EpollSet::add(Source& source, std::uint32_t events) const {
    return os::control_epoll(epoll_, EPOLL_CTL_ADD, number(source.descriptor),
                             {.events = events, .data = {.ptr = &source}});
}

void EpollSet::remove(const Source& source) const {
    static_cast<void>(os::control_epoll(epoll_, EPOLL_CTL_DEL, number(source.descriptor), {}));
}

long EpollSet::wait_until(std::span<epoll_event> events, Deadline deadline, System& system) const {
    return os::wait_events(epoll_, events, left_until(deadline, system));
}

void EpollSet::wake() const { os::raise_eventfd(event_); }

}  // namespace berth::driver
