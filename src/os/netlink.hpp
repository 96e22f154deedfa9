// SPDX-License-Identifier: MIT
//
// netlink: one question to the kernel, answered by many messages.
//
// The kernel composes the answer while it is read, so that nothing has to be waited for: a read
// that finds nothing is an error. What is read is not trusted: lengths are checked before use.
//
// Lifetime:  a Dump owns its socket and its buffer; what next() returns is good until the next.
// Threads:   one per Dump.
// Errors:    those of the kernel's answer, EPROTO for bytes that are no answer, EMSGSIZE.
// See:       netlink(7).

#pragma once

#include "base/outcome.hpp"
#include "os/owned_descriptor.hpp"

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

namespace berth::os {

// The beginning of `bytes` as a T, which is taken away; nothing where they are too short.
template <class T>
std::optional<T> take(Bytes& bytes) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    bytes = bytes.subspan(sizeof value);
    return value;
}

struct NetlinkMessage {
    std::uint16_t type = 0;
    std::uint32_t sequence = 0;
    Bytes payload;
};

struct NetlinkAttribute {
    std::uint16_t type = 0;
    Bytes value;
};

// Nothing: no whole one is left.
std::optional<NetlinkMessage> take_message(Bytes& datagram);
std::optional<NetlinkAttribute> take_attribute(Bytes& payload);

class Dump {
public:
    // `question`: the payload of a request of this type, with NLM_F_DUMP.
    static base::Outcome<Dump> begin(int protocol, std::uint16_t type, Bytes question);

    // The payload of the next message of the answer; nothing at its end.
    base::Outcome<std::optional<Bytes>> next();

private:
    explicit Dump(OwnedDescriptor socket);
    base::Outcome<void> send(std::uint16_t type, Bytes question);
    base::Outcome<void> receive();
    base::Outcome<NetlinkMessage> next_message();

    OwnedDescriptor socket_;
    std::vector<std::byte> room_;
    Bytes unread_;  // of room_
};

}  // namespace berth::os
