// SPDX-License-Identifier: MIT
//
// CheckedDriver: passes every call on to the driver under test, and watches it.
//
// It enters each started operation in the ledger, marks which call is running, and fails the test
// when starting an operation allocated (1). A kernel that allocates by itself, because it is
// simulated, may do so in those calls that go to it at once.
//
// Lifetime:  owns the driver under test.
// Threads:   as Driver: wake() is untouched by the checks and may come from any thread.

#pragma once

#include "conformance/recording_sink.hpp"
#include "driver/driver.hpp"

#include <memory>

namespace berth::conformance {

class CheckedDriver final : public driver::Driver {
public:
    CheckedDriver(std::unique_ptr<driver::Driver> tested, Ledger& ledger, RecordingSink& sink,
                  bool kernel_allocates)
        : tested_(std::move(tested)),
          ledger_(ledger),
          sink_(sink),
          kernel_allocates_(kernel_allocates) {}

    driver::Outcome<void> start_accept(driver::Listener& listener) override;
    void stop_accept(driver::Listener& listener) override;
    driver::Outcome<void> start_receive(driver::Stream& stream) override;
    driver::Outcome<void> connect(driver::Stream& stream, const Endpoint& endpoint) override;
    void pause_receive(driver::Stream& stream) override;
    void resume_receive(driver::Stream& stream) override;
    driver::Sent send(driver::Stream& stream, Bytes bytes) override;
    driver::Sent send_slices(driver::Stream& stream, driver::Slices slices) override;
    driver::Sent send_soon(driver::Stream& stream, Bytes bytes) override;
    driver::Slices settle(driver::Stream& stream) override;
    void send_when_ready(driver::Stream& stream, const driver::Slices& slices) override;
    void end_sending(driver::Stream& stream) override;
    void close(driver::Stream& stream, driver::Ending ending) override;
    driver::Outcome<void> start_receive_datagrams(driver::DatagramSocket& socket) override;
    void stop_receive_datagrams(driver::DatagramSocket& socket) override;
    void finish_receive_datagrams(driver::DatagramSocket& socket) override;
    driver::Sent send_datagrams(driver::DatagramSocket& socket,
                                driver::OutgoingDatagrams datagrams) override;
    driver::Outcome<void> start_watch(driver::Watched& watched) override;
    void stop_watch(driver::Watched& watched) override;
    driver::Outcome<void> poll(Deadline deadline) override;
    bool leaves_more(driver::Stream& stream, std::size_t received) override {
        return tested_->leaves_more(stream, received);
    }
    bool delivered_all() const override;
    bool is_put_off(const driver::Stream& stream) const override;
    void wake() override { tested_->wake(); }

    const driver::Driver& tested() const { return *tested_; }

private:
    template <class Call>
    auto watched(const char* name, Call call);
    template <class Call>
    auto watched_kernel_call(const char* name, Call call);

    std::unique_ptr<driver::Driver> tested_;
    Ledger& ledger_;
    RecordingSink& sink_;
    bool kernel_allocates_;
    bool has_datagram_memory_ = false;  // the first socket takes it (16)
};

}  // namespace berth::conformance
