// SPDX-License-Identifier: MIT
//
// CheckedDriver: one watched pass-through per call.

#include "conformance/checked_driver.hpp"

#include "support/allocations.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace berth::conformance {

using driver::DatagramSocket;
using driver::Ending;
using driver::Listener;
using driver::Outcome;
using driver::OutgoingDatagrams;
using driver::Sent;
using driver::Slices;
using driver::Stream;

namespace {

// Says where we are until the end of the scope; scopes nest when a sink calls the driver.
class PlaceMark {
public:
    PlaceMark(Ledger& ledger, Ledger::Place place)
        : ledger_(ledger), before_(std::exchange(ledger.place, place)) {}
    ~PlaceMark() { ledger_.place = before_; }
    PlaceMark(const PlaceMark&) = delete;
    PlaceMark& operator=(const PlaceMark&) = delete;

private:
    Ledger& ledger_;
    Ledger::Place before_;
};

class NoAllocation {
public:
    explicit NoAllocation(const char* call) : call_(call) {}
    ~NoAllocation() {
        EXPECT_EQ(test::allocations_of_this_thread(), before_) << call_ << " allocated (1)";
    }
    NoAllocation(const NoAllocation&) = delete;
    NoAllocation& operator=(const NoAllocation&) = delete;

private:
    const char* call_;
    std::size_t before_ = test::allocations_of_this_thread();
};

}  // namespace

template <class Call>
auto CheckedDriver::watched(const char* name, Call call) {
    const PlaceMark mark{ledger_, Ledger::Place::in_call};
    const NoAllocation check{name};
    return call();
}

template <class Call>
auto CheckedDriver::watched_kernel_call(const char* name, Call call) {
    if (!kernel_allocates_) return watched(name, call);
    const PlaceMark mark{ledger_, Ledger::Place::in_call};
    return call();
}

Outcome<void> CheckedDriver::start_accept(Listener& listener) {
    const auto started = watched("start_accept", [&] { return tested_->start_accept(listener); });
    if (started) ledger_.start(listener, Ledger::kAccepting);
    return started;
}

void CheckedDriver::stop_accept(Listener& listener) {
    watched("stop_accept", [&] { tested_->stop_accept(listener); });
}

Outcome<void> CheckedDriver::start_receive(Stream& stream) {
    const auto started = watched("start_receive", [&] { return tested_->start_receive(stream); });
    if (started) ledger_.start(stream, Ledger::kOpen | Ledger::kReceiving);
    return started;
}

Outcome<void> CheckedDriver::connect(Stream& stream, const Endpoint& endpoint) {
    const auto started =
        watched_kernel_call("connect", [&] { return tested_->connect(stream, endpoint); });
    if (started) ledger_.start(stream, Ledger::kOpen | Ledger::kConnecting);
    return started;
}

void CheckedDriver::pause_receive(Stream& stream) {
    watched("pause_receive", [&] { tested_->pause_receive(stream); });
    ledger_.start(stream, Ledger::kPaused);
}

void CheckedDriver::resume_receive(Stream& stream) {
    ledger_.finish(stream, Ledger::kPaused);
    watched("resume_receive", [&] { tested_->resume_receive(stream); });
}

Sent CheckedDriver::send(Stream& stream, Bytes bytes) {
    EXPECT_FALSE(ledger_.is(stream, Ledger::kSending)) << "the test's own fault: see Driver::send";
    return watched_kernel_call("send", [&] { return tested_->send(stream, bytes); });
}

Sent CheckedDriver::send_slices(Stream& stream, Slices slices) {
    EXPECT_FALSE(ledger_.is(stream, Ledger::kSending)) << "the test's own fault: see Driver::send";
    return watched_kernel_call("send_slices", [&] { return tested_->send_slices(stream, slices); });
}

Sent CheckedDriver::send_soon(Stream& stream, Bytes bytes) {
    EXPECT_FALSE(ledger_.is(stream, Ledger::kSending)) << "the test's own fault: see Driver::send";
    return watched_kernel_call("send_soon", [&] { return tested_->send_soon(stream, bytes); });
}

Slices CheckedDriver::settle(Stream& stream) {
    return watched_kernel_call("settle", [&] { return tested_->settle(stream); });
}

void CheckedDriver::send_when_ready(Stream& stream, const Slices& slices) {
    watched("send_when_ready", [&] { tested_->send_when_ready(stream, slices); });
    ledger_.start(stream, Ledger::kSending);
}

void CheckedDriver::end_sending(Stream& stream) {
    watched_kernel_call("end_sending", [&] { tested_->end_sending(stream); });
}

void CheckedDriver::close(Stream& stream, Ending ending) {
    watched_kernel_call("close", [&] { tested_->close(stream, ending); });
    ledger_.start(stream, Ledger::kClosing);
}

Outcome<void> CheckedDriver::start_receive_datagrams(DatagramSocket& socket) {
    const auto start = [&] { return tested_->start_receive_datagrams(socket); };
    const PlaceMark mark{ledger_, Ledger::Place::in_call};
    const auto started = has_datagram_memory_ ? watched("start_receive_datagrams", start) : start();
    if (started) ledger_.start(socket, Ledger::kDatagrams);
    has_datagram_memory_ |= started.has_value();
    return started;
}

void CheckedDriver::stop_receive_datagrams(DatagramSocket& socket) {
    watched("stop_receive_datagrams", [&] { tested_->stop_receive_datagrams(socket); });
    ledger_.start(socket, Ledger::kClosing);
}

void CheckedDriver::finish_receive_datagrams(DatagramSocket& socket) {
    watched("finish_receive_datagrams", [&] { tested_->finish_receive_datagrams(socket); });
}

Sent CheckedDriver::send_datagrams(DatagramSocket& socket, OutgoingDatagrams datagrams) {
    return watched_kernel_call("send_datagrams",
                               [&] { return tested_->send_datagrams(socket, datagrams); });
}

Outcome<void> CheckedDriver::start_watch(driver::Watched& watched_one) {
    const auto started = watched("start_watch", [&] { return tested_->start_watch(watched_one); });
    if (started) ledger_.start(watched_one, Ledger::kWatched);
    return started;
}

void CheckedDriver::stop_watch(driver::Watched& watched_one) {
    watched("stop_watch", [&] { tested_->stop_watch(watched_one); });
    ledger_.start(watched_one, Ledger::kClosing);
}

bool CheckedDriver::delivered_all() const { return tested_->delivered_all(); }

bool CheckedDriver::is_put_off(const Stream& stream) const { return tested_->is_put_off(stream); }

Outcome<void> CheckedDriver::poll(Deadline deadline) {
    const PlaceMark mark{ledger_, Ledger::Place::in_poll};
    sink_.poll_begins();
    auto polled = tested_->poll(deadline);
    sink_.poll_ends();
    return polled;
}

}  // namespace berth::conformance
