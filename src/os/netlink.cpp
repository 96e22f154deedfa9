// SPDX-License-Identifier: MIT
//
// netlink: messages in datagrams, attributes in messages.

#include "os/netlink.hpp"

#include "base/outcome.hpp"
#include "os/call_outcome.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"

#include <berth/bytes.hpp>

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace berth::os {

namespace {

// The kernel fills datagrams of at most 32 KiB, netlink_dump().
constexpr std::size_t kDatagramMax = 32U << 10U;
constexpr std::uint32_t kSequence = 1;  // one question per socket

constexpr std::size_t aligned(std::size_t size) {
    return (size + NLMSG_ALIGNTO - 1) / NLMSG_ALIGNTO * NLMSG_ALIGNTO;
}

// What is `size` bytes long with its header of type Header, and the padding behind it.
template <class Header>
std::optional<Bytes> take_sized(Bytes& bytes, std::size_t size) {
    if (size < sizeof(Header) || size > bytes.size()) return std::nullopt;
    const Bytes content = bytes.first(size).subspan(aligned(sizeof(Header)));
    bytes = bytes.subspan(std::min(aligned(size), bytes.size()));
    return content;
}

// Of NLMSG_DONE and NLMSG_ERROR: 0, or a negative errno.
base::Outcome<void> verdict(Bytes payload) {
    const auto code = take<int>(payload);
    if (!code || *code > 0) return base::failed(EPROTO);
    if (*code < 0) return base::failed(-*code);
    return {};
}

}  // namespace

std::optional<NetlinkMessage> take_message(Bytes& datagram) {
    Bytes look = datagram;
    const auto header = take<nlmsghdr>(look);
    if (!header) return std::nullopt;
    const auto payload = take_sized<nlmsghdr>(datagram, header->nlmsg_len);
    if (!payload) return std::nullopt;
    return NetlinkMessage{
        .type = header->nlmsg_type, .sequence = header->nlmsg_seq, .payload = *payload};
}

std::optional<NetlinkAttribute> take_attribute(Bytes& payload) {
    Bytes look = payload;
    const auto header = take<nlattr>(look);
    if (!header) return std::nullopt;
    const auto value = take_sized<nlattr>(payload, header->nla_len);
    if (!value) return std::nullopt;
    constexpr std::uint16_t kTypeMask = 0x3fff;  // without the two flags above it
    return NetlinkAttribute{.type = static_cast<std::uint16_t>(header->nla_type & kTypeMask),
                            .value = *value};
}

Dump::Dump(OwnedDescriptor socket) : socket_(std::move(socket)), room_(kDatagramMax) {}

base::Outcome<Dump> Dump::begin(int protocol, std::uint16_t type, Bytes question) {
    const auto opened = open_socket(AF_NETLINK, SOCK_DGRAM, protocol);
    if (!opened) return base::failed(opened.errno_value());
    Dump dump{OwnedDescriptor{*opened}};
    const auto sent = dump.send(type, question);
    if (!sent) return base::failed(sent.errno_value());
    return dump;
}

base::Outcome<void> Dump::send(std::uint16_t type, Bytes question) {
    const nlmsghdr header{
        .nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + question.size()),
        .nlmsg_type = type,
        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
        .nlmsg_seq = kSequence,
        .nlmsg_pid = 0,
    };
    std::memcpy(room_.data(), &header, sizeof header);
    std::ranges::copy(question, room_.begin() + sizeof header);
    return outcome<void>(send_bytes(socket_.number(), room_.data(), header.nlmsg_len));
}

base::Outcome<void> Dump::receive() {
    const auto size = outcome<std::size_t>(raw_call(Call::receive, socket_.number(), room_.data(),
                                                    room_.size(), MSG_DONTWAIT | MSG_TRUNC));
    if (!size) return base::failed(size.errno_value());
    if (*size > room_.size()) return base::failed(EMSGSIZE);
    unread_ = Bytes{room_}.first(*size);
    return {};
}

// Whatever it is about; of more datagrams, as long as there are messages to come.
base::Outcome<NetlinkMessage> Dump::next_message() {
    for (;;) {
        const auto message = take_message(unread_);
        if (message) return *message;
        const auto received = receive();
        if (!received) return base::failed(received.errno_value());
        if (unread_.size() < sizeof(nlmsghdr)) return base::failed(EPROTO);
    }
}

base::Outcome<std::optional<Bytes>> Dump::next() {
    for (;;) {
        const auto message = next_message();
        if (!message) return base::failed(message.errno_value());
        if (message->sequence != kSequence || message->type == NLMSG_NOOP) continue;
        if (message->type == NLMSG_OVERRUN) return base::failed(EOVERFLOW);
        if (message->type != NLMSG_DONE && message->type != NLMSG_ERROR) return message->payload;
        const auto ended = verdict(message->payload);
        if (!ended) return base::failed(ended.errno_value());
        return std::optional<Bytes>{};
    }
}

}  // namespace berth::os
