// SPDX-License-Identifier: MIT
//
// SimPeer, SimListener: scripted ends of streams in a simulated kernel.
//
// The weather is the driver's and not theirs: what travels arrives within their calls, and send_now
// goes on until the kernel is full. Otherwise no test could set a scene.
//
// Lifetime:  each owns its descriptor; the process outlives both.
// Errors:    throw std::system_error when the kernel refuses what the script says.
// See:       support/raw_socket.hpp, the same on the real kernel.

#pragma once

#include "driver/sim/process.hpp"
#include "support/datagram_peer.hpp"
#include "support/peer.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace berth::conformance {

class SimSocket {
public:
    SimSocket(driver::sim::Process& process, driver::Descriptor descriptor)
        : process_(process), descriptor_(descriptor) {}
    SimSocket(driver::sim::Process& process, const Endpoint& family_of);
    SimSocket(SimSocket&& other) noexcept
        : process_(other.process_),
          descriptor_(std::exchange(other.descriptor_, driver::Descriptor::none)) {}
    SimSocket& operator=(SimSocket&&) = delete;
    ~SimSocket() { close(); }

    driver::sim::Process& process() const { return process_; }
    driver::Descriptor descriptor() const { return descriptor_; }
    // Lets everything arrive that is on its way.
    void settle() const;
    void close();

private:
    driver::sim::Process& process_;
    driver::Descriptor descriptor_;
};

class SimPeer final : public test::Peer {
public:
    explicit SimPeer(SimSocket connected) : socket_(std::move(connected)) {}
    // Connects, and lets time pass until it is connected; with the kernel's smallest receive
    // buffer or its usual one.
    static std::unique_ptr<SimPeer> connect(driver::sim::Process& process, const Endpoint& to,
                                            bool small_buffer);

    std::size_t send_now(std::string_view bytes) override;
    std::string read_now() override;
    test::Ended ended() const override { return ended_; }
    void end() override;
    void reset() override;
    void close() override { socket_.close(); }
    IpEndpoint address() const override;

private:
    SimSocket socket_;
    test::Ended ended_ = test::Ended::not_yet;
};

class SimListener final : public test::PeerListener {
public:
    SimListener(driver::sim::Process& process, const Endpoint& at);

    const Endpoint& endpoint() const override { return endpoint_; }
    std::unique_ptr<test::Peer> accept_now() override;
    void close() override { socket_.close(); }

private:
    SimSocket socket_;
    Endpoint endpoint_;
};

class SimDatagramPeer final : public test::DatagramPeer {
public:
    SimDatagramPeer(driver::sim::Process& process, const Endpoint& at);

    void send_to(const Endpoint& to, std::string_view bytes) override;
    std::optional<test::Letter> read_now() override;
    Endpoint endpoint() const override { return endpoint_; }
    void close() override { socket_.close(); }

private:
    SimSocket socket_;
    Endpoint endpoint_;
};

}  // namespace berth::conformance
