// SPDX-License-Identifier: MIT
//
// StreamEvents, ListenerEvents, DatagramEvents, WatchEvents, BatchEvents: what the loop tells the
// sockets above it.
//
// The names and their order are those of the driver's completions (driver/driver.hpp).
//
// Threads:   the loop's.

#pragma once

#include "driver/driver.hpp"
#include "loop/timer_wheel.hpp"

#include <berth/bytes.hpp>

namespace berth::loop {

// A stream has a deadline, too: so there is one virtual table for both.
class StreamEvents : public Timed, public driver::Stream {
public:
    virtual void on_received(Bytes bytes) = 0;
    virtual void on_receive_end(int errno_value) = 0;
    virtual void on_sent(driver::Sent sent) = 0;
    virtual void on_unsent(driver::Slices slices, int errno_value) = 0;
    virtual void on_connected(int errno_value) = 0;
    virtual void on_closed() = 0;

protected:
    ~StreamEvents() override = default;
};

class ListenerEvents : public driver::Listener {
public:
    virtual void on_accepted(driver::Descriptor descriptor, const IpEndpoint& peer) = 0;
    virtual void on_accept_error(int errno_value) = 0;
    virtual void on_accept_end(int errno_value) = 0;

protected:
    ~ListenerEvents() = default;
};

class DatagramEvents : public driver::DatagramSocket {
public:
    virtual void on_datagrams(driver::ReceivedDatagrams datagrams) = 0;
    virtual void on_datagram_error(int errno_value) = 0;
    virtual void on_datagrams_end() = 0;

protected:
    ~DatagramEvents() = default;
};

class WatchEvents : public driver::Watched {
public:
    virtual void on_ready(driver::Ready ready) = 0;
    virtual void on_watch_end() = 0;

protected:
    ~WatchEvents() = default;
};

// The end of an iteration: the time to send what was written outside a turn, and to give back
// what was closed.
class BatchEvents {
public:
    virtual void on_batch_end() = 0;

protected:
    ~BatchEvents() = default;
};

}  // namespace berth::loop
