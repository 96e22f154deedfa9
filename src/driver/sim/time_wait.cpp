// SPDX-License-Identifier: MIT
//
// TimeWait: after tcp_timewait_state_process.

#include "driver/sim/time_wait.hpp"

#include "driver/sim/network.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/port_table.hpp"
#include "driver/sim/segment.hpp"
#include "driver/socket_rows.hpp"

#include <berth/clock.hpp>

#include <chrono>
#include <cstddef>

namespace berth::driver::sim {

namespace {

// TCP_TIMEWAIT_LEN.
constexpr Duration kTimeWait = std::chrono::seconds{60};

}  // namespace

TimeWait::TimeWait(Network& network, const PortOwner& socket, const Place& peer,
                   const Numbers& numbers)
    : PortOwner(Protocol::tcp),
      network_(network),
      peer_(peer),
      numbers_(numbers),
      timer_(network.agenda()) {
    local_ = socket.local();
    reuses_address_ = socket.reuses_address();
    reuses_port_ = socket.reuses_port();
    is_dual_stack_ = socket.is_dual_stack();
    network_.ports().join(*this);
    ++rows();
    wait();
}

TimeWait::~TimeWait() { --rows(); }

std::size_t& TimeWait::rows() const {
    auto& census = network_.census();
    return numbers_.has_peer_ended ? census.time_wait : census.fin_wait_2;
}

void TimeWait::wait() {
    const Duration wait = numbers_.has_peer_ended ? kTimeWait : numbers_.fin_timeout;
    timer_.start(network_.kernel().now() + wait, [this] { end(); });
}

SocketRow TimeWait::row() const {
    SocketRow row{.state = is_over() ? SocketState::time_wait : SocketState::fin_wait2,
                  .local = as_ip(local()),
                  .peer = as_ip(peer_)};
    row.timer = timer_.due() - network_.kernel().now();
    return row;
}

void TimeWait::end() { network_.disconnect(local(), peer_); }

void TimeWait::take(Segment& segment) {
    if (segment.rst) {
        if (segment.sequence == numbers_.received) end();
    } else if (segment.syn && !segment.ack) {
        take_syn(segment);
    } else if (!numbers_.has_peer_ended) {
        take_for_fin_wait_2(segment);
    } else if (segment.length() != 0) {
        acknowledge();
    }
}

// A new connection between the same places: it numbers its bytes from further on, and is welcome.
void TimeWait::take_syn(Segment& segment) {
    const bool is_late = segment.sequence < numbers_.received;
    if (is_late || network_.find_listener(local(), segment.from) == nullptr) return acknowledge();
    end();
    network_.deliver(segment);
}

void TimeWait::take_for_fin_wait_2(Segment& segment) {
    if (segment.end() <= numbers_.received) return;
    if (!segment.bytes.empty()) {
        network_.refuse(segment);
        end();
        return;
    }
    --rows();
    numbers_.has_peer_ended = true;
    ++rows();
    ++numbers_.received;
    acknowledge();
    wait();
}

void TimeWait::acknowledge() {
    Segment answer{.from = local(),
                   .to = peer_,
                   .sequence = numbers_.sent,
                   .acknowledged = numbers_.received,
                   .bytes = {}};
    answer.ack = true;
    network_.send(std::move(answer), network_.arrival_of_all());
}

}  // namespace berth::driver::sim
