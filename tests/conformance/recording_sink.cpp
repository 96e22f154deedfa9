// SPDX-License-Identifier: MIT
//
// RecordingSink: each completion is checked against the ledger, then kept.

#include "conformance/recording_sink.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace berth::conformance {

using driver::DatagramSocket;
using driver::Descriptor;
using driver::Listener;
using driver::Sent;
using driver::Source;
using driver::Stream;
using driver::Watched;

namespace {

const char* name_of(Kind kind) {
    static constexpr std::array kNames{
        "accepted",       "accept_error",  "accept_end", "connected", "received",
        "receive_end",    "sent",          "unsent",     "closed",    "datagram",
        "datagram_error", "datagrams_end", "ready",      "watch_end"};
    return kNames.at(static_cast<std::size_t>(kind));
}

}  // namespace

std::ostream& operator<<(std::ostream& out, Kind kind) { return out << name_of(kind); }

// ── Reading the record ───────────────────────────────────────────────────────────────────────

std::vector<Completion> RecordingSink::of(const Source& source) const {
    std::vector<Completion> chosen;
    std::ranges::copy_if(completions_, std::back_inserter(chosen),
                         [&](const Completion& each) { return each.source == &source; });
    return chosen;
}

std::vector<Kind> RecordingSink::kinds_of(const Source& source) const {
    std::vector<Kind> kinds;
    for (const Completion& each : of(source)) kinds.push_back(each.kind);
    return kinds;
}

std::size_t RecordingSink::count_of(const Source& source, Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        completions_,
        [&](const Completion& each) { return each.source == &source && each.kind == kind; }));
}

Completion RecordingSink::first(const Source& source, Kind kind) const {
    for (const Completion& each : completions_) {
        if (each.source == &source && each.kind == kind) return each;
    }
    ADD_FAILURE() << "no " << name_of(kind) << " among: " << to_string();
    return Completion{.kind = kind, .source = &source, .poll = 0, .errno_value = -1};
}

std::string RecordingSink::bytes_of(const Source& source) const {
    std::string bytes;
    for (const Completion& each : completions_) {
        if (each.source == &source && each.kind == Kind::received) bytes += each.bytes;
    }
    return bytes;
}

std::vector<std::string> RecordingSink::datagrams_of(const Source& source) const {
    std::vector<std::string> datagrams;
    for (const Completion& each : completions_) {
        if (each.source == &source && each.kind == Kind::datagram) datagrams.push_back(each.bytes);
    }
    return datagrams;
}

std::string RecordingSink::to_string() const {
    std::string text;
    for (const Completion& each : completions_) {
        text += "\n  poll " + std::to_string(each.poll) + ": " + name_of(each.kind);
        if (each.count != 0) text += " " + std::to_string(each.count) + " bytes";
        if (each.errno_value != 0) text += std::string{", "} + std::strerror(each.errno_value);
    }
    return text.empty() ? "no completion" : text;
}

// ── Writing it ───────────────────────────────────────────────────────────────────────────────

void RecordingSink::poll_begins() {
    ++polls_;
    awake_ = false;
}

void RecordingSink::poll_ends() { EXPECT_TRUE(awake_) << "a poll without on_awake"; }

void RecordingSink::record(Completion completion, Bytes lent) {
    EXPECT_TRUE(awake_) << name_of(completion.kind) << " before on_awake";
    completion.poll = polls_;
    completions_.push_back(completion);
    if (on_completion) on_completion(completion, lent);
}

void RecordingSink::on_awake(std::size_t /*events*/) {
    ledger_.expect_place("on_awake");
    EXPECT_FALSE(awake_) << "on_awake twice in one poll";
    awake_ = true;
}

void RecordingSink::on_accepted(Listener& listener, Descriptor descriptor, const IpEndpoint& peer) {
    ledger_.expect("on_accepted", listener, Ledger::kAccepting, 0);
    EXPECT_TRUE(is_open(descriptor));
    unclaimed.push_back(descriptor);
    record({.kind = Kind::accepted,
            .source = &listener,
            .poll = 0,
            .descriptor = descriptor,
            .peer = peer});
}

void RecordingSink::on_accept_error(Listener& listener, int errno_value) {
    ledger_.expect("on_accept_error", listener, Ledger::kAccepting, 0);
    record(
        {.kind = Kind::accept_error, .source = &listener, .poll = 0, .errno_value = errno_value});
}

void RecordingSink::on_accept_end(Listener& listener, int errno_value) {
    ledger_.expect("on_accept_end", listener, Ledger::kAccepting, 0);
    ledger_.forget(listener);
    record({.kind = Kind::accept_end, .source = &listener, .poll = 0, .errno_value = errno_value});
}

void RecordingSink::on_connected(Stream& stream, int errno_value) {
    ledger_.expect("on_connected", stream, Ledger::kConnecting, Ledger::kClosing);
    ledger_.finish(stream, Ledger::kConnecting);
    if (errno_value == 0) ledger_.start(stream, Ledger::kReceiving);
    record({.kind = Kind::connected, .source = &stream, .poll = 0, .errno_value = errno_value});
}

void RecordingSink::on_received(Stream& stream, Bytes bytes) {
    ledger_.expect("on_received", stream, Ledger::kReceiving, Ledger::kClosing | Ledger::kPaused);
    EXPECT_FALSE(bytes.empty()) << "on_received without a byte";
    record({.kind = Kind::received,
            .source = &stream,
            .poll = 0,
            .count = bytes.size(),
            .bytes = std::string{as_text(bytes)}},
           bytes);
}

void RecordingSink::on_receive_end(Stream& stream, int errno_value) {
    const unsigned after_fin = errno_value != 0 ? Ledger::kHeardFin : 0U;
    ledger_.expect("on_receive_end", stream, Ledger::kReceiving | after_fin, Ledger::kClosing);
    ledger_.finish(stream, Ledger::kReceiving | Ledger::kHeardFin);
    if (errno_value == 0) ledger_.start(stream, Ledger::kHeardFin);
    record({.kind = Kind::receive_end, .source = &stream, .poll = 0, .errno_value = errno_value});
}

void RecordingSink::on_sent(Stream& stream, Sent sent) {
    ledger_.expect("on_sent", stream, Ledger::kSending, Ledger::kClosing);
    ledger_.finish(stream, Ledger::kSending);
    EXPECT_TRUE(sent.is_failed() || sent.count() > 0) << "on_sent without a byte";
    record({.kind = Kind::sent,
            .source = &stream,
            .poll = 0,
            .errno_value = sent.is_failed() ? sent.errno_value() : 0,
            .count = sent.is_failed() ? 0 : sent.count()});
}

void RecordingSink::on_unsent(Stream& stream, driver::Slices slices, int errno_value) {
    ledger_.expect("on_unsent", stream, Ledger::kOpen, Ledger::kClosing);
    std::string bytes;
    for (const Bytes& slice : slices) bytes += as_text(slice);
    EXPECT_FALSE(bytes.empty()) << "on_unsent without a byte";
    record({.kind = Kind::unsent,
            .source = &stream,
            .poll = 0,
            .errno_value = errno_value,
            .count = bytes.size(),
            .bytes = bytes});
}

void RecordingSink::on_closed(Stream& stream) {
    ledger_.expect("on_closed", stream, Ledger::kClosing, 0);
    ledger_.forget(stream);
    stream.descriptor = Descriptor::none;  // the number may already be another's (12)
    record({.kind = Kind::closed, .source = &stream, .poll = 0});
}

void RecordingSink::on_datagrams(DatagramSocket& socket, driver::ReceivedDatagrams datagrams) {
    ledger_.expect("on_datagrams", socket, Ledger::kDatagrams, Ledger::kClosing);
    EXPECT_FALSE(datagrams.empty()) << "on_datagrams without a datagram";
    for (const driver::ReceivedDatagram& each : datagrams) {
        record({.kind = Kind::datagram,
                .source = &socket,
                .poll = 0,
                .count = each.bytes.size(),
                .bytes = std::string{as_text(each.bytes)},
                .peer = each.peer,
                .local = each.local,
                .is_truncated = each.is_truncated},
               each.bytes);
    }
}

void RecordingSink::on_datagram_error(DatagramSocket& socket, int errno_value) {
    ledger_.expect("on_datagram_error", socket, Ledger::kDatagrams, Ledger::kClosing);
    EXPECT_NE(errno_value, 0);
    record(
        {.kind = Kind::datagram_error, .source = &socket, .poll = 0, .errno_value = errno_value});
}

void RecordingSink::on_datagrams_end(DatagramSocket& socket) {
    ledger_.expect("on_datagrams_end", socket, Ledger::kDatagrams, 0);
    ledger_.forget(socket);
    record({.kind = Kind::datagrams_end, .source = &socket, .poll = 0});
}

void RecordingSink::on_ready(Watched& watched, driver::Ready ready) {
    ledger_.expect("on_ready", watched, Ledger::kWatched, Ledger::kClosing);
    EXPECT_TRUE(ready.input || ready.room) << "on_ready without either";
    record({.kind = Kind::ready, .source = &watched, .poll = 0, .ready = ready});
}

void RecordingSink::on_watch_end(Watched& watched) {
    ledger_.expect("on_watch_end", watched, Ledger::kWatched, 0);
    ledger_.forget(watched);
    record({.kind = Kind::watch_end, .source = &watched, .poll = 0});
}

}  // namespace berth::conformance
