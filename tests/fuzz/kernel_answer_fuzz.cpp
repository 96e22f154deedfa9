// SPDX-License-Identifier: MIT
//
// What the kernel answers, as any bytes: netlink datagrams with rows of sockets, and texts of
// /proc. Reading stays within the input, comes to an end, and makes nothing up.

#include "fuzz.hpp"
#include "os/machine.hpp"
#include "os/netlink.hpp"
#include "os/process.hpp"
#include "os/sock_diag.hpp"

#include <berth/bytes.hpp>

#include <cstddef>
#include <string_view>

namespace berth::fuzz {

namespace {

void expect_inside(Bytes part, Bytes whole) {
    const bool is_inside =
        part.empty() ||
        (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
    expect(is_inside, "what is taken is part of the input");
}

void try_rows(Bytes message) {
    if (const auto row = os::parse_inet_row(message)) {
        expect(row->local.family == 4 || row->local.family == 6, "a local address has a family");
        expect(row->peer.family == 0 || row->peer.port != 0, "a peer has a port");
    }
    if (const auto row = os::parse_unix_row(message)) {
        expect(row->name.size() <= message.size() + 2, "a name comes from the message");  // "./"
    }
    Bytes rest = message;
    while (const auto attribute = os::take_attribute(rest))
        expect_inside(attribute->value, message);
}

void try_datagram(Bytes datagram) {
    Bytes rest = datagram;
    for (;;) {
        const std::size_t before = rest.size();
        const auto message = os::take_message(rest);
        if (!message) return;
        expect(rest.size() < before, "a message that is taken is gone");
        expect_inside(message->payload, datagram);
        try_rows(message->payload);
    }
}

void try_text(std::string_view text) {
    if (const auto facts = os::parse_stat(text)) {
        expect(text.contains(facts->command), "a command comes from the text");
    }
    if (const auto row = os::parse_unix_line(text)) {
        expect(text.ends_with(row->name), "a name is the end of its line");
    }
    if (const auto range = os::parse_port_bounds(text)) {
        expect(text.find_first_of("0123456789") != std::string_view::npos, "a range has numbers");
    }
    static_cast<void>(os::parse_uid(text));
    static_cast<void>(os::parse_boot_time(text));
    static_cast<void>(os::parse_socket_link(text));
    expect(text.contains(os::find_user(text, 0)), "a user comes from the text");
}

}  // namespace

void try_input(Bytes input) {
    try_datagram(input);
    try_rows(input);
    try_text(as_text(input));
}

}  // namespace berth::fuzz
