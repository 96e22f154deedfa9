// SPDX-License-Identifier: MIT
//
// Player: from symbols to a machine's numbers, and back.

#include "differential/player.hpp"

#include "base/outcome.hpp"
#include "differential/machine.hpp"
#include "differential/step.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <string.h>  // NOLINT(modernize-deprecated-headers): strerrorname_np is GNU's, not C++

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace berth::differential {

namespace {

// Past every buffer that a kernel grows by itself (tcp_wmem and tcp_rmem end at 4 and 6 MiB).
constexpr std::size_t kFillMax = 32U << 20U;
constexpr std::size_t kFillChunk = 16U << 10U;

Answer failed_with(int error) { return {.error = error}; }

template <class T>
Answer said(const Outcome<T>& outcome) {
    return failed_with(outcome.errno_value());
}

Answer said(const Outcome<std::size_t>& outcome) {
    return {.error = outcome.errno_value(), .count = outcome.value_or(0)};
}

MutableBytes room_in(std::string& text) { return std::as_writable_bytes(std::span{text}); }

constexpr std::uint8_t kLoopback = 127;

IpEndpoint v4(std::uint8_t first, std::uint8_t second, std::uint8_t third, std::uint8_t last) {
    return {.address = {first, second, third, last}, .family = 4};
}

// ::ffff:a.b.c.d, RFC 4291 2.5.5.2.
IpEndpoint mapped(const IpEndpoint& ip) {
    IpEndpoint made{.family = 6};
    made.address[10] = made.address[11] = 0xff;
    std::copy_n(ip.address.begin(), 4, made.address.begin() + 12);
    return made;
}

IpEndpoint address_of(Host host) {
    switch (host) {
        case Host::loopback_v4: return v4(kLoopback, 0, 0, 1);
        case Host::second_v4: return v4(kLoopback, 0, 0, 2);
        case Host::foreign_v4: return v4(192, 0, 2, 1);
        case Host::any_v6: return {.family = 6};
        case Host::loopback_v6: {
            IpEndpoint made{.family = 6};
            made.address.back() = 1;
            return made;
        }
        case Host::any_mapped: return mapped(v4(0, 0, 0, 0));
        case Host::loopback_mapped: return mapped(v4(kLoopback, 0, 0, 1));
        default: return v4(0, 0, 0, 0);
    }
}

}  // namespace

std::string name_of_error(int error) {
    if (error == 0) return "ok";
    const char* name = strerrorname_np(error);
    return name != nullptr ? name : "errno " + std::to_string(error);
}

std::string text_of(const Answer& answer) {
    std::string text = answer.error != 0 ? name_of_error(answer.error) : "";
    if (answer.count != 0) text += (text.empty() ? "" : " ") + std::to_string(answer.count);
    if (!answer.words.empty()) text += (text.empty() ? "" : " ") + answer.words;
    return text.empty() ? "ok" : text;
}

std::string text_of(const Readiness& readiness) {
    std::string text;
    const auto add = [&](bool holds, const char* word) {
        if (holds) text += (text.empty() ? "" : " ") + std::string{word};
    };
    add(readiness.readable, "IN");
    add(readiness.writable, "OUT");
    add(readiness.peer_ended, "RDHUP");
    add(readiness.hung_up, "HUP");
    add(readiness.failed, "ERR");
    return text.empty() ? "nothing" : text;
}

Scheme Player::Slot::scheme() const {
    if (family == Family::local) return Scheme::unix_stream;
    return kind == Kind::stream ? Scheme::tcp : Scheme::udp;
}

bool Player::can_play(const Step& step) const { return step.slot == kNoSlot || is_open(step.slot); }

bool Player::is_connected(int slot) const {
    return is_open(slot) &&
           machine_.peer_endpoint(at(slot).descriptor, at(slot).scheme()).has_value();
}

Answer Player::play(const Step& step) {
    Answer answer = perform(step);
    learn_port(step);
    return answer;
}

Answer Player::perform(const Step& step) {
    if (step.slot == kNoSlot && step.call == Call::socket) return socket(step);
    const Descriptor descriptor =
        step.slot == kNoSlot ? Descriptor::none : at(step.slot).descriptor;
    const Scheme scheme = step.slot == kNoSlot ? Scheme::unix_stream : at(step.slot).scheme();
    const auto size = static_cast<std::size_t>(step.value);
    const auto told = [&](const Outcome<Endpoint>& endpoint) {
        return endpoint ? Answer{.words = words_for(*endpoint)} : said(endpoint);
    };
    switch (step.call) {
        case Call::socket: return socket(step);
        case Call::set: return said(machine_.set(descriptor, step.option, step.value));
        case Call::bind: return said(machine_.bind(descriptor, endpoint_of(step.place, scheme)));
        case Call::listen: return said(machine_.listen(descriptor, step.value));
        case Call::connect:
            return said(machine_.connect(descriptor, endpoint_of(step.place, scheme)));
        case Call::accept: return accept(step);
        case Call::send: return send(step, size);
        case Call::fill: return fill(step);
        case Call::receive: return receive(step, size);
        case Call::drain: return drain(step);
        case Call::send_to: return send_to(step);
        case Call::receive_from: return receive_from(step);
        case Call::shutdown: return said(machine_.shutdown(descriptor, step.what));
        case Call::close: return close(step);
        case Call::take_error: return {.words = name_of_error(machine_.take_error(descriptor))};
        case Call::local_endpoint: return told(machine_.local_endpoint(descriptor, scheme));
        case Call::peer_endpoint: return told(machine_.peer_endpoint(descriptor, scheme));
        case Call::unacknowledged: return said(machine_.unacknowledged(descriptor));
        case Call::never_sent: return said(machine_.never_sent(descriptor));
        case Call::inspect: return inspect(step);
        case Call::path_has_owner: {
            const auto owned = machine_.path_has_owner(path_of(step.place));
            return owned ? Answer{.words = *owned ? "yes" : "no"} : said(owned);
        }
        case Call::unlink: return said(machine_.unlink(path_of(step.place)));
    }
    return failed_with(ENOSYS);
}

// ── Calls that need more than a line ─────────────────────────────────────────────────────────

Answer Player::socket(const Step& step) {
    const auto opened = machine_.socket(step.family, step.kind);
    if (!opened) return said(opened);
    at(step.made) = {.descriptor = *opened, .family = step.family, .kind = step.kind};
    return {};
}

Answer Player::accept(const Step& step) {
    const auto accepted = machine_.accept(at(step.slot).descriptor);
    if (!accepted) return said(accepted);
    const Slot& listener = at(step.slot);
    at(step.made) = {.descriptor = accepted->descriptor,
                     .family = listener.family,
                     .kind = Kind::stream,
                     .port = listener.port};
    if (accepted->peer.family == 0) return {.words = "from a unix socket"};
    return {.words = "from " + words_for({listener.scheme(), accepted->peer})};
}

Answer Player::send(const Step& step, std::size_t size) {
    const std::string bytes = pattern(step.slot, size);
    const auto sent = machine_.send(at(step.slot).descriptor, as_bytes(bytes));
    at(step.slot).sent += sent.value_or(0);
    return said(sent);
}

Answer Player::fill(const Step& step) {
    Answer all;
    while (all.error == 0 && all.count < kFillMax) {
        const Answer one = send(step, kFillChunk);
        all.error = one.error;
        all.count += one.count;
    }
    return all;
}

Answer Player::receive(const Step& step, std::size_t size) {
    std::string bytes(size, '\0');
    const auto received = machine_.receive(at(step.slot).descriptor, room_in(bytes));
    at(step.slot).received.append(bytes, 0, received.value_or(0));
    return said(received);
}

Answer Player::drain(const Step& step) {
    Answer all;
    bool may_settle = true;
    while (true) {
        const Answer one = receive(step, kFillChunk);
        all.count += one.count;
        all.error = one.error;
        if (one.error == EAGAIN && may_settle) {
            may_settle = false;
            if (settle()) continue;
        }
        if (one.error != 0) return all;
        if (one.count == 0) {
            all.words = "then the end";
            return all;
        }
        may_settle = true;
    }
}

Answer Player::send_to(const Step& step) {
    const std::string bytes = pattern(step.slot, static_cast<std::size_t>(step.value));
    const Slot& slot = at(step.slot);
    const auto sent =
        machine_.send_to(slot.descriptor, endpoint_of(step.place, slot.scheme()), as_bytes(bytes));
    at(step.slot).sent += sent.value_or(0);
    return said(sent);
}

Answer Player::receive_from(const Step& step) {
    std::string bytes(static_cast<std::size_t>(step.value), '\0');
    const auto datagram = machine_.receive_from(at(step.slot).descriptor, room_in(bytes));
    if (!datagram) return said(datagram);
    at(step.slot).received.append(bytes, 0, datagram->size);
    return {.count = datagram->size,
            .words = "bytes from " + words_for(datagram->from) +
                     (datagram->truncated ? ", truncated" : "")};
}

Answer Player::close(const Step& step) {
    machine_.close(std::exchange(at(step.slot).descriptor, Descriptor::none));
    return {};
}

Answer Player::inspect(const Step& step) {
    const auto facts = machine_.inspect(path_of(step.place));
    if (!facts) return said(facts);
    switch (facts->kind) {
        case PathFacts::Kind::missing: return {.words = "missing"};
        case PathFacts::Kind::socket: return {.words = "a socket"};
        case PathFacts::Kind::other: return {.words = "something else"};
    }
    return {};
}

// ── Symbols ──────────────────────────────────────────────────────────────────────────────────

// After whatever may have given the socket a port.
void Player::learn_port(const Step& step) {
    if (step.slot == kNoSlot || !is_open(step.slot)) return;
    Slot& slot = at(step.slot);
    if (slot.family == Family::local || slot.port != 0) return;
    const auto local = machine_.local_endpoint(slot.descriptor, slot.scheme());
    if (!local || local->port() == 0) return;

    const bool was_asked_for = step.call == Call::bind && step.place.port_of != kNoSlot &&
                               at(step.place.port_of).port == local->port();
    const auto has_it = [&](const Slot& other) { return other.port == local->port(); };
    port_repeated_ = port_repeated_ || (!was_asked_for && std::ranges::any_of(slots_, has_it));
    slot.port = local->port();
}

std::string Player::path_of(const Place& place) const {
    return directory_ + "/" + std::to_string(place.name);
}

Endpoint Player::endpoint_of(const Place& place, Scheme scheme) const {
    if (place.host == Host::path) return {Scheme::unix_stream, path_of(place)};
    if (place.host == Host::abstract_name) return {Scheme::unix_stream, "@" + path_of(place)};
    IpEndpoint ip = address_of(place.host);
    if (place.port_of != kNoSlot) ip.port = at(place.port_of).port;
    return {scheme, ip};
}

std::string Player::words_for_port(std::uint16_t port) const {
    if (port == 0) return "0";
    const auto owner = std::ranges::find(slots_, port, &Slot::port);
    const bool is_known = owner != slots_.end();
    return "port(" + name_of_slot(is_known ? static_cast<int>(owner - slots_.begin()) : kNoSlot) +
           ")";
}

std::string Player::words_for(const Endpoint& endpoint) const {
    if (endpoint.is_unix()) {
        std::string name = endpoint.name();
        const auto at = name.find(directory_);
        if (at != std::string::npos) name.replace(at, directory_.size(), "path");
        return name.empty() ? "unnamed" : name;
    }
    const Endpoint without_port{endpoint.scheme(), IpEndpoint{.address = endpoint.ip().address,
                                                              .family = endpoint.ip().family}};
    std::string text = without_port.to_string();
    text.erase(text.rfind(':') + 1);
    return text.substr(text.find("//") + 2) + words_for_port(endpoint.port());
}

std::string Player::pattern(int slot, std::size_t size) const {
    std::string bytes(size, '\0');
    const std::size_t first = at(slot).sent;
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t offset = first + i;
        // 251 is prime: a lost or doubled power of two shows.
        bytes[i] = static_cast<char>((offset % 251) + static_cast<std::size_t>(slot) * 37);
    }
    return bytes;
}

}  // namespace berth::differential
