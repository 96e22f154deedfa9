// SPDX-License-Identifier: MIT
//
// RawPeer, RawListener: scripted ends of real streams, in plain system calls.
//
// They share no code with what they test. Beside the calls of peer.hpp, which never wait, there
// are some that do, at most patience(). A peer that is destroyed closes in order. One that speaks
// records says goodbye before each FIN, and takes a FIN without one for a reset.
//
// Lifetime:  each owns its descriptor.
// Threads:   one may send to a peer while another reads from it.
// Errors:    throw std::system_error when the kernel refuses what the script says, or when a
//            wait runs out (std::errc::timed_out); the test fails with the call's name.
// See:       tcp(7), unix(7).

#pragma once

#include "support/peer.hpp"
#include "support/record_codec.hpp"

#include <berth/endpoint.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace berth::test {

// A descriptor that closes itself.
class OwnedDescriptor {
public:
    explicit OwnedDescriptor(int number = -1) : number_(number) {}
    OwnedDescriptor(OwnedDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~OwnedDescriptor() { close(); }

    int number() const { return number_; }
    void close();

private:
    int number_;
};

class RawPeer final : public Peer {
public:
    // Connects, and waits until it is connected. Any stream endpoint.
    static RawPeer connect(const Endpoint& to);
    // As connect(), from that address of this machine.
    static RawPeer connect_from(const Endpoint& from, const Endpoint& to);
    // As connect(), with a small receive buffer: soon full.
    static RawPeer connect_with_small_buffer(const Endpoint& to);
    explicit RawPeer(OwnedDescriptor connected) : socket_(std::move(connected)) {}
    RawPeer(RawPeer&&) noexcept = default;
    RawPeer& operator=(RawPeer&&) = delete;
    ~RawPeer() override { close(); }

    // From now on what it sends and reads travels in records (record_codec.hpp).
    void speak_records();

    std::size_t send_now(std::string_view bytes) override;
    std::string read_now() override;
    Ended ended() const override { return ended_; }
    void end() override;
    void reset() override;
    void close() override;
    IpEndpoint address() const override;

    void send(std::string_view bytes);    // all of it
    std::string read(std::size_t count);  // less only if the stream ends before
    std::string read_to_end();            // until FIN or RST: see ended()

    int descriptor() const { return socket_.number(); }

private:
    // What a peer that speaks records has beside its socket.
    struct Records {
        RecordCodec codec;
        std::mutex sending;
        std::string unsent;  // wire bytes
    };

    std::size_t try_send(std::string_view bytes);
    std::string try_read(std::size_t max);

    // Records. True: nothing is left to be sent.
    std::size_t send_sealed(std::string_view plain);
    bool send_rest(std::string_view more = {});
    bool send_rest_if_wanted(std::string_view more = {});  // the peer may be gone
    std::string read_some(std::size_t max);
    std::string read_opened(std::size_t max);

    OwnedDescriptor socket_;
    Ended ended_ = Ended::not_yet;
    std::unique_ptr<Records> records_;  // null: it speaks plain
};

class RawListener final : public PeerListener {
public:
    // Port 0: the kernel chooses, see endpoint(). Of Unix packets each send of a peer is one.
    explicit RawListener(const Endpoint& at);

    const Endpoint& endpoint() const override { return endpoint_; }
    std::unique_ptr<Peer> accept_now() override;
    void close() override { socket_.close(); }

    RawPeer accept();

private:
    OwnedDescriptor try_accept();

    OwnedDescriptor socket_;
    Endpoint endpoint_;
};

// tcp://127.0.0.1:0
Endpoint loopback_endpoint();

}  // namespace berth::test
