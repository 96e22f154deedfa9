// SPDX-License-Identifier: MIT
//
// SimScene: one simulated driver over a sink that writes a log, and a process of peers.
//
// Threads:   the test's.

#pragma once

#include "driver/sim/sim_driver.hpp"
#include "driver/sim/sim_system.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth::driver::sim::test {

// Every completion as a word, with the source's number and what came.
class LoggingSink {
public:
    std::vector<std::string> log;
    std::vector<Descriptor> accepted;

    void name(const Source& source, std::string as) { names_.push_back({&source, std::move(as)}); }

    void on_awake(std::size_t) {}
    void on_accepted(Listener& listener, Descriptor descriptor, const IpEndpoint&) {
        accepted.push_back(descriptor);
        note(listener, "accepted", number(descriptor));
    }
    void on_accept_error(Listener& listener, int error) { note(listener, "accept_error", error); }
    void on_accept_end(Listener& listener, int error) { note(listener, "accept_end", error); }
    void on_connected(Stream& stream, int error) { note(stream, "connected", error); }
    void on_received(Stream& stream, Bytes bytes) {
        note(stream, "received", static_cast<int>(bytes.size()));
    }
    void on_receive_end(Stream& stream, int error) { note(stream, "receive_end", error); }
    void on_sent(Stream& stream, Sent sent) {
        note(stream, "sent", sent.is_failed() ? -1 : static_cast<int>(sent.count()));
    }
    void on_unsent(Stream& stream, Slices slices, int) {
        note(stream, "unsent", static_cast<int>(slices.size()));
    }
    void on_closed(Stream& stream) { note(stream, "closed", 0); }
    void on_datagrams(DatagramSocket& socket, ReceivedDatagrams datagrams) {
        note(socket, "datagrams", static_cast<int>(datagrams.size()));
    }
    void on_datagram_error(DatagramSocket& socket, int error) {
        note(socket, "datagram_error", error);
    }
    void on_ready(Watched& watched, Ready ready) {
        note(watched, "ready", (ready.input ? 1 : 0) + (ready.room ? 2 : 0));
    }
    void on_watch_end(Watched& watched) { note(watched, "watch_end", 0); }
    void on_datagrams_end(DatagramSocket& socket) { note(socket, "datagrams_end", 0); }

private:
    struct Name {
        const Source* source;
        std::string text;
    };

    void note(const Source& source, const char* what, int detail) {
        std::string line;
        for (const Name& each : names_) {
            if (each.source == &source) line = each.text + " ";
        }
        log.push_back(line + what + " " + std::to_string(detail));
    }

    std::vector<Name> names_;
};

class SimScene {
public:
    using Log = std::vector<std::string>;

    explicit SimScene(const Weather& weather = {}, std::uint64_t seed = 1) : kernel(seed, weather) {
        auto opened = SimDriver<LoggingSink>::open(sink, process, {});
        EXPECT_TRUE(opened);
        driver = std::move(*opened);
        listener.descriptor = *system.open_socket(endpoint);
        EXPECT_TRUE(system.bind(listener.descriptor, endpoint));
        EXPECT_TRUE(system.listen(listener.descriptor, 16));
        endpoint = *system.local_endpoint(listener.descriptor, Scheme::tcp);
    }

    // Connects to the listener. On a calm day it is in the accept queue afterwards.
    Descriptor connect_peer() {
        const auto socket = peers.socket(Family::v4, Kind::stream);
        EXPECT_EQ(peers.connect(*socket, endpoint).errno_value(), EINPROGRESS);
        return *socket;
    }
    // A stream that receives from `peer`, accepted on a calm day.
    Stream& receiving(std::string name) {
        streams.emplace_back().descriptor = system.accept(listener.descriptor)->descriptor;
        sink.name(streams.back(), std::move(name));
        EXPECT_TRUE(driver->start_receive(streams.back()));
        return streams.back();
    }
    void send(Descriptor peer, std::string_view bytes) {
        EXPECT_EQ(*peers.send(peer, as_bytes(bytes)), bytes.size());
    }
    void poll(Deadline deadline = {}) { EXPECT_TRUE(driver->poll(deadline)); }

    Kernel kernel;
    Process process{kernel};
    Process peers{kernel};
    SimSystem system{process};
    LoggingSink sink;
    Listener listener;
    Endpoint endpoint{Scheme::tcp, IpEndpoint{.address = {127, 0, 0, 1}, .family = 4}};
    std::deque<Stream> streams;
    std::unique_ptr<SimPoller> driver;
};

}  // namespace berth::driver::sim::test
