// SPDX-License-Identifier: MIT
//
// Step: its text, as a reader of system calls would write it.

#include "differential/step.hpp"

#include "differential/machine.hpp"

#include <string>

namespace berth::differential {

namespace {

std::string text_of(Family family) {
    switch (family) {
        case Family::v4: return "v4";
        case Family::v6: return "v6";
        case Family::local: return "unix";
    }
    return "?";
}

std::string text_of(SocketOption option) {
    switch (option) {
        case SocketOption::reuse_address: return "SO_REUSEADDR";
        case SocketOption::reuse_port: return "SO_REUSEPORT";
        case SocketOption::v6_only: return "IPV6_V6ONLY";
        case SocketOption::no_delay: return "TCP_NODELAY";
        case SocketOption::linger_reset: return "SO_LINGER 1,";
        case SocketOption::receive_buffer: return "SO_RCVBUF";
        case SocketOption::send_buffer: return "SO_SNDBUF";
        case SocketOption::not_sent_low: return "TCP_NOTSENT_LOWAT";
        case SocketOption::user_timeout: return "TCP_USER_TIMEOUT";
        case SocketOption::orphan_timeout: return "TCP_LINGER2";
        case SocketOption::late_port: return "IP_BIND_ADDRESS_NO_PORT";
        case SocketOption::keep_alive: return "SO_KEEPALIVE";
        case SocketOption::keep_idle: return "TCP_KEEPIDLE";
        case SocketOption::keep_interval: return "TCP_KEEPINTVL";
        case SocketOption::keep_count: return "TCP_KEEPCNT";
        case SocketOption::tell_destination: return "IP_PKTINFO";
        case SocketOption::count_drops: return "SO_RXQ_OVFL";
        case SocketOption::broadcast: return "SO_BROADCAST";
        case SocketOption::multicast_all: return "IP_MULTICAST_ALL";
        case SocketOption::multicast_loop: return "IP_MULTICAST_LOOP";
        case SocketOption::multicast_hops: return "IP_MULTICAST_TTL";
        case SocketOption::multicast_interface: return "IP_MULTICAST_IF";
        case SocketOption::merge: return "UDP_GRO";
    }
    return "?";
}

std::string text_of(Shut what) {
    switch (what) {
        case Shut::reading: return "SHUT_RD";
        case Shut::sending: return "SHUT_WR";
        case Shut::both: return "SHUT_RDWR";
    }
    return "?";
}

std::string text_of(const Place& place) {
    const std::string port =
        place.port_of == kNoSlot ? "0" : "port(" + name_of_slot(place.port_of) + ")";
    const std::string name = std::to_string(place.name);
    switch (place.host) {
        case Host::any_v4: return "0.0.0.0:" + port;
        case Host::loopback_v4: return "127.0.0.1:" + port;
        case Host::second_v4: return "127.0.0.2:" + port;
        case Host::foreign_v4: return "192.0.2.1:" + port;
        case Host::any_v6: return "[::]:" + port;
        case Host::loopback_v6: return "[::1]:" + port;
        case Host::any_mapped: return "[::ffff:0.0.0.0]:" + port;
        case Host::loopback_mapped: return "[::ffff:127.0.0.1]:" + port;
        case Host::path: return "path " + name;
        case Host::abstract_name: return "@name " + name;
    }
    return "?";
}

std::string arguments_of(const Step& step) {
    std::string slot = name_of_slot(step.slot);
    const std::string value = std::to_string(step.value);
    switch (step.call) {
        case Call::socket:
            return text_of(step.family) + (step.kind == Kind::stream ? ", stream" : ", datagram");
        case Call::set: return slot + ", " + text_of(step.option) + " " + value;
        case Call::bind:
        case Call::connect: return slot + ", " + text_of(step.place);
        case Call::listen:
        case Call::send:
        case Call::receive:
        case Call::receive_from: return slot + ", " + value;
        case Call::send_to: return slot + ", " + text_of(step.place) + ", " + value;
        case Call::shutdown: return slot + ", " + text_of(step.what);
        case Call::inspect:
        case Call::path_has_owner:
        case Call::unlink: return text_of(step.place);
        default: return slot;
    }
}

}  // namespace

std::string name_of(Call call) {
    switch (call) {
        case Call::socket: return "socket";
        case Call::set: return "setsockopt";
        case Call::bind: return "bind";
        case Call::listen: return "listen";
        case Call::connect: return "connect";
        case Call::accept: return "accept";
        case Call::send: return "send";
        case Call::fill: return "fill";
        case Call::receive: return "receive";
        case Call::drain: return "drain";
        case Call::send_to: return "sendto";
        case Call::receive_from: return "recvfrom";
        case Call::shutdown: return "shutdown";
        case Call::close: return "close";
        case Call::take_error: return "SO_ERROR";
        case Call::local_endpoint: return "getsockname";
        case Call::peer_endpoint: return "getpeername";
        case Call::unacknowledged: return "SIOCOUTQ";
        case Call::never_sent: return "SIOCOUTQNSD";
        case Call::inspect: return "lstat";
        case Call::path_has_owner: return "has_owner";
        case Call::unlink: return "unlink";
    }
    return "?";
}

std::string name_of_slot(int slot) { return slot == kNoSlot ? "?" : "s" + std::to_string(slot); }

std::string text_of(const Step& step) {
    const std::string made = step.made == kNoSlot ? "" : name_of_slot(step.made) + " = ";
    return made + name_of(step.call) + "(" + arguments_of(step) + ")";
}

}  // namespace berth::differential
