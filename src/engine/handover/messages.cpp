// SPDX-License-Identifier: MIT
//
// Messages: each body, written and read side by side, so that the two stay the same.

#include "engine/handover/messages.hpp"

#include "engine/handover/wire_format.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace berth::engine::handover {

namespace {

constexpr std::array kMark{std::byte{'b'}, std::byte{'h'}};

Bytes clipped(const std::string& text, std::size_t max = kTextMax) {
    return as_bytes(std::string_view(text).substr(0, max));
}

// ── Bodies ───────────────────────────────────────────────────────────────────────────────────

void write(FieldWriter& out, const Hello& hello) { out.number(hello.process); }
void read(FieldReader& in, Hello& hello) { hello.process = in.number<std::uint64_t>(); }

void write(FieldWriter& out, const Refused& refused) { out.bytes(clipped(refused.reason)); }
void read(FieldReader& in, Refused& refused) { refused.reason = in.text(kTextMax); }

void write(FieldWriter& out, const OfferedSocket& socket) {
    out.number(socket.listener);
    out.number(socket.shard);
    out.flag(socket.is_lent);
    out.bytes(clipped(socket.address, kAddressMax));
    out.bytes(clipped(socket.asked, kAddressMax));
    out.number(socket.inode);
    out.number(socket.path_device);
    out.number(socket.path_inode);
}
void read(FieldReader& in, OfferedSocket& socket) {
    socket.listener = in.number<std::uint32_t>();
    socket.shard = in.number<std::uint32_t>();
    socket.is_lent = in.flag();
    socket.address = in.text(kAddressMax);
    socket.asked = in.text(kAddressMax);
    socket.inode = in.number<std::uint64_t>();
    socket.path_device = in.number<std::uint64_t>();
    socket.path_inode = in.number<std::uint64_t>();
}

void write(FieldWriter& out, const Offer& offer) {
    out.number(offer.generation);
    out.flag(offer.is_last);
    out.number(static_cast<std::uint32_t>(offer.sockets.size()));
    for (const OfferedSocket& socket : offer.sockets) write(out, socket);
}
void read(FieldReader& in, Offer& offer) {
    offer.generation = in.number<std::uint64_t>();
    offer.is_last = in.flag();
    const auto count = in.number<std::uint32_t>();
    if (count > kOfferMax) return in.fail();
    for (std::uint32_t i = 0; i < count && !in.has_failed(); ++i) {
        read(in, offer.sockets.emplace_back());
    }
}

void write(FieldWriter& out, const Adopted& adopted) {
    out.number(adopted.adopted);
    out.number(adopted.returned);
}
void read(FieldReader& in, Adopted& adopted) {
    adopted.adopted = in.number<std::uint32_t>();
    adopted.returned = in.number<std::uint32_t>();
}

void write(FieldWriter& out, const IpEndpoint& ip) {
    out.raw(std::as_bytes(std::span(ip.address)));
    out.number(ip.zone);
    out.number(ip.port);
    out.number(ip.family);
}
void read(FieldReader& in, IpEndpoint& ip) {
    const Bytes address = in.raw(ip.address.size());
    std::ranges::transform(address, ip.address.begin(),
                           [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    ip.zone = in.number<std::uint32_t>();
    ip.port = in.number<std::uint16_t>();
    ip.family = in.number<std::uint8_t>();
    if (ip.family != 0 && ip.family != 4 && ip.family != 6) in.fail();
}

void write(FieldWriter& out, const Passenger& passenger) {
    out.number(passenger.serial);
    out.number(passenger.listener);
    write(out, passenger.peer);
    out.flag(passenger.idle_left.has_value());
    const Duration left = std::max(passenger.idle_left.value_or(Duration{}), Duration{});
    out.number(static_cast<std::uint64_t>(left.count()));
    out.bytes(passenger.unread.bytes());
    out.bytes(passenger.state.bytes());
}
void read(FieldReader& in, Passenger& passenger) {
    passenger.serial = in.number<std::uint64_t>();
    passenger.listener = in.number<std::uint32_t>();
    read(in, passenger.peer);
    const bool has_limit = in.flag();
    const auto left = in.number<std::uint64_t>();
    if (left > static_cast<std::uint64_t>(Duration::max().count())) in.fail();
    if (has_limit) passenger.idle_left = Duration(static_cast<Duration::rep>(left));
    passenger.unread = Buffer::copy_of(in.bytes(kPassengerMax));
    passenger.state = Buffer::copy_of(in.bytes(kPassengerMax));
}

void write(FieldWriter& out, const Imported& imported) {
    out.number(imported.serial);
    out.flag(imported.is_taken);
}
void read(FieldReader& in, Imported& imported) {
    imported.serial = in.number<std::uint64_t>();
    imported.is_taken = in.flag();
}

void write(FieldWriter& out, const DrainStatus& status) { out.number(status.connections); }
void read(FieldReader& in, DrainStatus& status) { status.connections = in.number<std::uint64_t>(); }

void write(FieldWriter& out, const Bye& bye) { out.bytes(clipped(bye.outcome)); }
void read(FieldReader& in, Bye& bye) { bye.outcome = in.text(kTextMax); }

// Those without a body.
template <class Empty>
    requires std::is_empty_v<Empty>
void write(FieldWriter&, const Empty&) {}
template <class Empty>
    requires std::is_empty_v<Empty>
void read(FieldReader&, Empty&) {}

// ── Kinds ────────────────────────────────────────────────────────────────────────────────────

template <class Body>
Message read_body(FieldReader& in) {
    Body body;
    read(in, body);
    return body;
}

template <std::size_t... Kinds>
Message read_kind(std::size_t kind, FieldReader& in, std::index_sequence<Kinds...>) {
    using Read = Message (*)(FieldReader&);
    constexpr std::array<Read, sizeof...(Kinds)> kReaders{
        &read_body<std::variant_alternative_t<Kinds, Message>>...};
    return kReaders[kind](in);
}

constexpr std::size_t kKinds = std::variant_size_v<Message>;
constexpr std::size_t kRefused = 1;
static_assert(std::is_same_v<std::variant_alternative_t<kRefused, Message>, Refused>);

}  // namespace

std::vector<std::byte> encode(const Message& message) {
    std::vector<std::byte> bytes;
    FieldWriter out(bytes);
    out.raw(kMark);
    out.number(kVersion);
    out.number(static_cast<std::uint8_t>(message.index()));
    std::visit([&](const auto& body) { write(out, body); }, message);
    return bytes;
}

base::Outcome<Message> decode(Bytes bytes) {
    FieldReader in(bytes);
    const Bytes mark = in.raw(kMark.size());
    const auto version = in.number<std::uint8_t>();
    const auto kind = in.number<std::uint8_t>();
    if (in.has_failed() || !std::ranges::equal(mark, kMark)) return base::failed(EPROTO);
    if (version != kVersion && kind != kRefused) return base::failed(EPROTONOSUPPORT);
    if (kind >= kKinds) return base::failed(EPROTO);
    Message message = read_kind(kind, in, std::make_index_sequence<kKinds>());
    if (!in.is_complete()) return base::failed(EPROTO);
    return message;
}

}  // namespace berth::engine::handover
