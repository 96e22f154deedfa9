// SPDX-License-Identifier: MIT
//
// RecordingSink: keeps every completion, in order, as a list that a person can read.
//
// A test may react to a completion as a loop would, from inside it: `on_completion` is called
// after each one was recorded.
//
// Threads:   that of the driver.

#pragma once

#include "conformance/ledger.hpp"
#include "driver/driver.hpp"

#include <berth/function.hpp>

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace berth::conformance {

enum class Kind {
    accepted,
    accept_error,
    accept_end,
    connected,
    received,
    receive_end,
    sent,
    unsent,
    closed,
    datagram,  // one of a batch
    datagram_error,
    datagrams_end,
    ready,
    watch_end,
};

std::ostream& operator<<(std::ostream& out, Kind kind);

struct Completion {
    Kind kind;
    const driver::Source* source;
    std::size_t poll;        // the number of the poll it came in, from 1
    int errno_value = 0;     // also of a Sent that failed
    std::size_t count = 0;   // bytes received or sent
    std::string bytes = {};  // received, or unsent
    driver::Descriptor descriptor = driver::Descriptor::none;
    IpEndpoint peer = {};
    IpEndpoint local = {};  // of a datagram
    bool is_truncated = false;
    driver::Ready ready = {};
};

class RecordingSink {
public:
    explicit RecordingSink(Ledger& ledger) : ledger_(ledger) {}

    // What the test does from inside a completion. The bytes are those lent to on_received.
    using Reaction = UniqueFunction<void(const Completion&, Bytes)>;
    Reaction on_completion;

    const std::vector<Completion>& all() const { return completions_; }
    std::vector<Completion> of(const driver::Source& source) const;
    std::vector<Kind> kinds_of(const driver::Source& source) const;
    std::size_t count_of(const driver::Source& source, Kind kind) const;
    bool has(const driver::Source& source, Kind kind) const { return count_of(source, kind) > 0; }
    // The first of that kind; fails the test when there is none.
    Completion first(const driver::Source& source, Kind kind) const;
    // Everything that on_received lent of this stream, in order.
    std::string bytes_of(const driver::Source& source) const;
    // What each datagram of this socket brought, in order.
    std::vector<std::string> datagrams_of(const driver::Source& source) const;
    std::size_t polls() const { return polls_; }
    // Accepted descriptors that no stream has taken over.
    std::vector<driver::Descriptor> unclaimed;
    std::string to_string() const;

    // Brackets of each poll, from the checked driver.
    void poll_begins();
    void poll_ends();

    // ── The completions, as driver.hpp lists them ────────────────────────────────────────────
    void on_awake(std::size_t events);
    void on_accepted(driver::Listener& listener, driver::Descriptor descriptor,
                     const IpEndpoint& peer);
    void on_accept_error(driver::Listener& listener, int errno_value);
    void on_accept_end(driver::Listener& listener, int errno_value);
    void on_connected(driver::Stream& stream, int errno_value);
    void on_received(driver::Stream& stream, Bytes bytes);
    void on_receive_end(driver::Stream& stream, int errno_value);
    void on_sent(driver::Stream& stream, driver::Sent sent);
    void on_unsent(driver::Stream& stream, driver::Slices slices, int errno_value);
    void on_closed(driver::Stream& stream);
    void on_datagrams(driver::DatagramSocket& socket, driver::ReceivedDatagrams datagrams);
    void on_datagram_error(driver::DatagramSocket& socket, int errno_value);
    void on_datagrams_end(driver::DatagramSocket& socket);
    void on_ready(driver::Watched& watched, driver::Ready ready);
    void on_watch_end(driver::Watched& watched);

private:
    void record(Completion completion, Bytes lent = {});

    Ledger& ledger_;
    std::vector<Completion> completions_;
    std::size_t polls_ = 0;
    bool awake_ = false;  // on_awake has come in this poll
};

}  // namespace berth::conformance
