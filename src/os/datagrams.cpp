// SPDX-License-Identifier: MIT
//
// DatagramInbox, DatagramOutbox: headers, addresses and control messages.

#include "os/datagrams.hpp"

#include "os/call.hpp"
#include "os/multicast.hpp"
#include "os/raw_call.hpp"
#include "os/socket_address.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace berth::os {

namespace {

// Datagrams that begin a power of two apart would share the same few lines of the caches.
constexpr std::size_t kLine = 64;
constexpr std::size_t kStagger = 5 * kLine;

template <class Value>
Value value_of(const cmsghdr& header) {
    Value value{};
    std::memcpy(&value, CMSG_DATA(&header), sizeof value);
    return value;
}

// The address that the packet names, and that which this machine would answer from.
void tell_destination(const in_pktinfo& info, DatagramInbox::Facts& facts) {
    facts.local = {.family = 4};
    std::memcpy(facts.local.address.data(), &info.ipi_addr, sizeof info.ipi_addr);
    facts.is_to_many = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
}

// It comes for IPv4 on an IPv6 socket, too, and then beside the other.
void tell_destination(const in6_pktinfo& info, DatagramInbox::Facts& facts) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = info.ipi6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr)) address.sin6_scope_id = info.ipi6_ifindex;
    facts.local = SocketAddress::of(address).ip();
    facts.is_to_many = IN6_IS_ADDR_MULTICAST(&address.sin6_addr);
}

void tell(const cmsghdr& header, DatagramInbox::Facts& facts) {
    const auto is = [&](int level, int type) {
        return header.cmsg_level == level && header.cmsg_type == type;
    };
    if (is(SOL_SOCKET, SO_RXQ_OVFL)) {
        facts.dropped = value_of<std::uint32_t>(header);
    } else if (is(kMerge.level, kMerge.name)) {
        facts.segment = static_cast<std::size_t>(value_of<int>(header));
    } else if (is(IPPROTO_IP, IP_PKTINFO)) {
        tell_destination(value_of<in_pktinfo>(header), facts);
    } else if (is(IPPROTO_IPV6, IPV6_PKTINFO)) {
        tell_destination(value_of<in6_pktinfo>(header), facts);
    }
}

// Behind what is attached already.
template <class Info>
void attach(msghdr& message, DatagramControl& control, const OptionName& what, const Info& info) {
    const std::size_t before = message.msg_controllen;
    message.msg_control = control.bytes.data();
    message.msg_controllen = before + CMSG_SPACE(sizeof info);
    auto* const header = reinterpret_cast<cmsghdr*>(control.bytes.data() + before);
    header->cmsg_level = what.level;
    header->cmsg_type = what.name;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

// An IPv4 address inside IPv6, RFC 4291, 2.5.5.2.
IpEndpoint as_mapped(const IpEndpoint& ip) {
    IpEndpoint mapped{.port = ip.port, .family = 6};
    mapped.address[10] = mapped.address[11] = 0xff;
    std::copy_n(ip.address.begin(), 4, mapped.address.begin() + 12);
    return mapped;
}

IpEndpoint fitted_to(int family, const IpEndpoint& ip) {
    return family == AF_INET6 && ip.family == 4 ? as_mapped(ip) : ip;
}

void attach_source(msghdr& message, DatagramControl& control, const IpEndpoint& from) {
    if (from.family == 4) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, from.address.data(), sizeof info.ipi_spec_dst);
        attach(message, control, {IPPROTO_IP, IP_PKTINFO}, info);
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, from.address.data(), sizeof info.ipi6_addr);
        info.ipi6_ifindex = from.zone;
        attach(message, control, {IPPROTO_IPV6, IPV6_PKTINFO}, info);
    }
}

}  // namespace

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

DatagramInbox::DatagramInbox(std::size_t count, std::size_t size)
    : size_(size),
      stride_((size + kLine - 1) / kLine * kLine + kStagger),
      storage_(std::make_unique_for_overwrite<std::byte[]>(count * stride_)),
      peers_(count),
      controls_(count),
      vectors_(count),
      headers_(count) {
    for (std::size_t index = 0; index < count; ++index) {
        vectors_[index] = {.iov_base = storage_.get() + index * stride_, .iov_len = size_};
        msghdr& message = headers_[index].msg_hdr;
        message.msg_iov = &vectors_[index];
        message.msg_iovlen = 1;
        message.msg_name = peers_[index].room();
        message.msg_control = controls_[index].bytes.data();
        make_ready(index);
    }
}

// What the kernel wrote over the last time.
void DatagramInbox::make_ready(std::size_t index) {
    msghdr& message = headers_[index].msg_hdr;
    message.msg_namelen = sizeof(sockaddr_storage);
    message.msg_controllen = sizeof(DatagramControl);
}

long DatagramInbox::receive(int socket) {
    for (std::size_t index = 0; index < used_; ++index) make_ready(index);
    const long count = raw_call(Call::receive_datagrams, socket, headers_.data(), headers_.size(),
                                MSG_DONTWAIT, nullptr);
    used_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    return count;
}

Bytes DatagramInbox::bytes(std::size_t index) const {
    return {storage_.get() + index * stride_, headers_[index].msg_len};
}

IpEndpoint DatagramInbox::peer(std::size_t index) {
    if (headers_[index].msg_hdr.msg_namelen == 0) return {};
    return peers_[index].ip();
}

std::string_view DatagramInbox::peer_name(std::size_t index) {
    return peers_[index].unix_name_in_place(headers_[index].msg_hdr.msg_namelen);
}

bool DatagramInbox::is_truncated(std::size_t index) const {
    return (headers_[index].msg_hdr.msg_flags & MSG_TRUNC) != 0;
}

DatagramInbox::Facts DatagramInbox::facts(std::size_t index) {
    Facts facts;
    msghdr& message = headers_[index].msg_hdr;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        tell(*header, facts);
    }
    return facts;
}

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

DatagramOutbox::DatagramOutbox(std::size_t count)
    : peers_(count), controls_(count), vectors_(std::max(count, kSegmentsMax)), headers_(count) {}

msghdr& DatagramOutbox::begin(Bytes bytes) {
    msghdr& message = headers_[count_].msg_hdr;
    vectors_[used_] = {.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
    message.msg_iov = &vectors_[used_++];
    message.msg_iovlen = 1;
    message.msg_name = nullptr;
    message.msg_namelen = 0;
    message.msg_control = nullptr;
    message.msg_controllen = 0;
    return message;
}

bool DatagramOutbox::add_named(Bytes bytes, std::string_view to) {
    const auto address = SocketAddress::of_unix_name(to);
    if (!address) return false;
    msghdr& message = begin(bytes);
    peers_[count_] = *address;
    message.msg_name = peers_[count_].room();
    message.msg_namelen = peers_[count_].length();
    ++count_;
    return true;
}

void DatagramOutbox::add(Bytes bytes, const IpEndpoint& to, const IpEndpoint& from, int family) {
    msghdr& message = begin(bytes);
    if (to.family != 0) {
        peers_[count_] = SocketAddress::of(fitted_to(family, to));
        message.msg_name = peers_[count_].room();
        message.msg_namelen = peers_[count_].length();
    }
    if (from.family != 0) attach_source(message, controls_[count_], fitted_to(family, from));
    ++count_;
}

void DatagramOutbox::join(Bytes bytes, std::size_t segment) {
    msghdr& message = headers_[count_ - 1].msg_hdr;
    vectors_[used_++] = {.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
    if (++message.msg_iovlen > 2) return;
    attach(message, controls_[count_ - 1], kSegment, static_cast<std::uint16_t>(segment));
}

long DatagramOutbox::send(int socket) {
    const long sent = raw_call(Call::send_datagrams, socket, headers_.data(), count_,
                               MSG_DONTWAIT | MSG_NOSIGNAL);
    count_ = used_ = 0;
    return sent;
}

}  // namespace berth::os
