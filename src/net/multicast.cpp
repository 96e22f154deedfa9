// SPDX-License-Identifier: MIT
//
// Multicast: checks that name a remedy, and the calls.

#include "net/multicast.hpp"

#include "os/ip_address.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace berth::net {

namespace {

using driver::SocketOption;

constexpr unsigned kFirstOfV4 = 0xe0;  // 224.0.0.0/4
constexpr unsigned kMaskOfV4 = 0xf0;
constexpr unsigned kFirstOfV6 = 0xff;  // ff00::/8
constexpr int kHopsMax = 255;

Error bad_option(const char* name, const char* why, const char* remedy) {
    return Error(ErrorCode::invalid_option, "listen")
        .because(std::string("DatagramOptions::") + name + " " + why)
        .fix(remedy);
}

// Also with the brackets and the zone that an address of a listener has.
std::optional<IpEndpoint> parse_group(const std::string& text) {
    const bool needs_brackets = text.find(':') != std::string::npos && !text.starts_with('[');
    const std::string host = needs_brackets ? "[" + text + "]" : text;
    const auto parsed = Endpoint::parse("udp://" + host + ":0");
    if (!parsed || !is_multicast(parsed->ip())) return {};
    return parsed->ip();
}

std::optional<std::uint32_t> as_number(const std::string& text) {
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || rest != end) return {};
    return number;
}

}  // namespace

bool is_multicast(const IpEndpoint& ip) {
    if (ip.family == os::kIpv6) return ip.address[0] == kFirstOfV6;
    return ip.family == 4 && (ip.address[0] & kMaskOfV4) == kFirstOfV4;
}

Result<void> check(const DatagramOptions& options) {
    if (options.session_idle < Duration::zero()) {
        return fail(bad_option("session_idle", "is negative", "0 keeps sessions until they close"));
    }
    if (options.sessions_max == 0) {
        return fail(bad_option("sessions_max", "is 0", "leave `sessions` false to have none"));
    }
    if (options.multicast_hops < 0 || options.multicast_hops > kHopsMax) {
        return fail(bad_option("multicast_hops", "is not between 0 and 255",
                               "1 stays on this network, 0 on this machine"));
    }
    return {};
}

// ── A listener that opens ────────────────────────────────────────────────────────────────────

// Kernels before 4.20 cannot say the first for IPv6.
Result<void> Multicast::prepare(driver::Descriptor socket, const DatagramOptions& options,
                                bool joins) {
    static_cast<void>(system_.set(socket, SocketOption::multicast_all, 0));
    if (options.gro) static_cast<void>(system_.set(socket, SocketOption::merge, 1));
    auto done = prepare_to_send(socket, options);
    if (done && joins) done = join_own(socket, options);
    for (const MulticastGroup& group : options.groups) {
        if (done && joins) done = join(socket, group);
    }
    return done;
}

Result<void> Multicast::prepare_to_send(driver::Descriptor socket, const DatagramOptions& options) {
    Result<void> done;
    if (options.broadcast) done = set(socket, SocketOption::broadcast, 1);
    if (done && !options.multicast_loop) done = set(socket, SocketOption::multicast_loop, 0);
    if (done && options.multicast_hops != 1) {
        done = set(socket, SocketOption::multicast_hops, options.multicast_hops);
    }
    if (done && !options.multicast_interface.empty()) {
        const auto index = interface_index(options.multicast_interface);
        if (!index) return fail(index.error());
        done = set(socket, SocketOption::multicast_interface, static_cast<int>(*index));
    }
    return done;
}

Result<void> Multicast::join_own(driver::Descriptor socket, const DatagramOptions& options) {
    if (!is_multicast(endpoint_.ip())) return {};
    std::string address = Endpoint(Scheme::udp, endpoint_.ip()).to_string();
    address = address.substr(address.find("//") + 2);
    address = address.substr(0, address.rfind(':'));
    return join(socket, {.address = address, .interface = options.multicast_interface});
}

Result<void> Multicast::set(driver::Descriptor socket, SocketOption option, int value) {
    const auto done = system_.set(socket, option, value);
    if (done) return {};
    return fail(Error::from_errno("setsockopt", done.errno_value()).at(endpoint_.to_string()));
}

// ── Groups ───────────────────────────────────────────────────────────────────────────────────

// EADDRINUSE: it is in already, as a socket that was handed over may be.
Result<void> Multicast::join(driver::Descriptor socket, const MulticastGroup& group) {
    const auto place = place_of(group);
    if (!place) return fail(place.error());
    const auto done = system_.join_group(socket, place->group, place->interface);
    if (done || done.errno_value() == EADDRINUSE) return {};
    if (done.errno_value() == ENODEV) {
        return fail(refused(group, "no interface has a route to it",
                            "name the interface: {.address, .interface}"));
    }
    return fail(Error::from_errno("join group", done.errno_value()).at(group.address));
}

Result<void> Multicast::leave(driver::Descriptor socket, const MulticastGroup& group) {
    const auto place = place_of(group);
    if (!place) return fail(place.error());
    const auto done = system_.leave_group(socket, place->group, place->interface);
    if (done) return {};
    if (done.errno_value() == EADDRNOTAVAIL) {
        return fail(refused(group, "the listener has not joined it, or by another interface",
                            "leave it as it was joined"));
    }
    return fail(Error::from_errno("leave group", done.errno_value()).at(group.address));
}

Result<Multicast::Place> Multicast::place_of(const MulticastGroup& group) {
    const auto ip = parse_group(group.address);
    if (!ip) {
        return fail(refused(group, "it is no multicast address",
                            "take one of 224.0.0.0/4 or ff00::/8, without a port"));
    }
    if (auto done = check(*ip, group); !done) return fail(std::move(done.error()));
    if (group.interface.empty()) return Place{.group = *ip, .interface = ip->zone};
    const auto index = interface_index(group.interface);
    if (!index) return fail(index.error());
    return Place{.group = *ip, .interface = *index};
}

Result<void> Multicast::check(const IpEndpoint& group, const MulticastGroup& asked) const {
    const IpEndpoint& ours = endpoint_.ip();
    if (group.family == os::kIpv6 && ours.family == 4) {
        return fail(refused(asked, "the listener speaks IPv4", "listen on udp://:PORT or udp6://"));
    }
    if (group.family == 4 && endpoint_.is_v6_only()) {
        return fail(refused(asked, "the listener speaks IPv6", "listen on udp://:PORT or udp4://"));
    }
    if (endpoint_.is_wildcard() || ours.address == group.address) return {};
    return fail(refused(asked, "what is sent to it does not reach a listener of one address",
                        "listen on every address (udp://:PORT), or on the group itself"));
}

Result<std::uint32_t> Multicast::interface_index(const std::string& name) {
    if (const auto number = as_number(name)) return *number;
    const auto index = system_.interface_index(name);
    if (index) return *index;
    return fail(Error::from_errno("interface", index.errno_value())
                    .at(name)
                    .because("there is no such network interface")
                    .fix("`ip link` lists them"));
}

Error Multicast::refused(const MulticastGroup& group, const char* why, const char* remedy) const {
    return Error(ErrorCode::invalid_option, "multicast group")
        .at(group.address)
        .because(std::string(why) + " (" + endpoint_.to_string() + ")")
        .fix(remedy);
}

}  // namespace berth::net
