// SPDX-License-Identifier: MIT
//
// DatagramInbox, DatagramOutbox: many datagrams in one system call, in either direction.
//
// Both are arrays as the kernel wants them, made once: nothing is allocated per datagram. Beside
// its bytes a datagram has an address, and control messages: where it was sent to (IP_PKTINFO),
// and how many were dropped before it (SO_RXQ_OVFL). A message may be several datagrams of one size
// to, or from, one peer, of which the last may be shorter (UDP_SEGMENT, UDP_GRO).
//
// Lifetime:  what an inbox shows is good until its next receive; an outbox looks at the bytes it
//            was given until it has sent them.
// Threads:   one at a time.
// Errors:    as raw_call: a long, negative errno.
// See:       recvmmsg(2), sendmmsg(2), ip(7), ipv6(7), socket(7).

#pragma once

#include "os/returns.hpp"
#include "os/socket_address.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace berth::os {

// For the control messages of one datagram.
struct DatagramControl {
    alignas(cmsghdr) std::array<std::byte, 128> bytes;
};

class DatagramInbox {
public:
    // Room for `count` datagrams of at most `size` bytes. The room is not touched before it is
    // written to: it costs memory as far as long datagrams come.
    DatagramInbox(std::size_t count, std::size_t size);

    // recvmmsg(2), MSG_DONTWAIT: how many came.
    BERTH_RETURNS_BY_JUMP long receive(int socket);

    // ── The `index`th of those ───────────────────────────────────────────────────────────────
    Bytes bytes(std::size_t index) const;
    IpEndpoint peer(std::size_t index);
    // Of a Unix socket's; empty: it has none, or none that could be answered.
    std::string_view peer_name(std::size_t index);
    bool is_truncated(std::size_t index) const;
    struct Facts {
        IpEndpoint local;           // whom it was sent to; family 0: it does not say
        bool is_to_many = false;    // a multicast or broadcast address
        std::uint32_t dropped = 0;  // of the socket, before it; 0: it does not say
        std::size_t segment = 0;    // it is several datagrams of that size; 0: it is one
    };
    // What its control messages say.
    Facts facts(std::size_t index);

private:
    void make_ready(std::size_t index);

    std::size_t size_;
    std::size_t stride_;
    std::unique_ptr<std::byte[]> storage_;
    std::vector<SocketAddress> peers_;
    std::vector<DatagramControl> controls_;
    std::vector<iovec> vectors_;
    std::vector<mmsghdr> headers_;
    std::size_t used_ = 0;  // headers that the kernel has written to
};

class DatagramOutbox {
public:
    static constexpr std::size_t kSegmentsMax = 64;  // UDP_MAX_SEGMENTS, linux/udp.h

    // Room for `count` messages, and as many datagrams, or those of one message if that is more.
    explicit DatagramOutbox(std::size_t count);

    bool is_full() const { return count_ == headers_.size(); }
    bool is_empty() const { return count_ == 0; }
    // For so many datagrams in one more message.
    bool has_room(std::size_t datagrams) const {
        return !is_full() && vectors_.size() - used_ >= datagrams;
    }
    // To `to`, or to whom the socket is connected if it has no family; from the local address
    // `from`, or the kernel's choice. `family` is the socket's: one of IPv6 takes IPv4 addresses
    // as mapped ones.
    void add(Bytes bytes, const IpEndpoint& to, const IpEndpoint& from, int family);
    // Another datagram in the message that was added last, which are all `segment` bytes long.
    void join(Bytes bytes, std::size_t segment);
    // Over a Unix socket, to whom has that name. False: no socket can have it; nothing was added.
    bool add_named(Bytes bytes, std::string_view to);
    // sendmmsg(2), MSG_DONTWAIT: how many went. Empties the outbox in any case.
    BERTH_RETURNS_BY_JUMP long send(int socket);

private:
    msghdr& begin(Bytes bytes);

    std::size_t count_ = 0;
    std::size_t used_ = 0;  // of vectors_
    std::vector<SocketAddress> peers_;
    std::vector<DatagramControl> controls_;
    std::vector<iovec> vectors_;
    std::vector<mmsghdr> headers_;
};

}  // namespace berth::os
