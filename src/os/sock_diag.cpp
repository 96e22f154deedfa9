// SPDX-License-Identifier: MIT
//
// sock_diag: questions and rows, field by field.

#include "os/sock_diag.hpp"

#include "base/outcome.hpp"
#include "os/calls.hpp"
#include "os/netlink.hpp"
#include "os/socket_address.hpp"
#include "os/text.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::os {

namespace {

template <class T>
Bytes bytes_of(const T& value) {
    return {reinterpret_cast<const std::byte*>(&value), sizeof value};
}

// Every row of the answer that parse() understands and `is_wanted` likes goes to `rows`.
template <class Row, class IsWanted>
base::Outcome<void> collect(Bytes question, std::optional<Row> (*parse)(Bytes), IsWanted is_wanted,
                            std::vector<Row>& rows) {
    auto dump = Dump::begin(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, question);
    if (!dump) return base::failed(dump.errno_value());
    while (rows.size() < kSocketRowsMax) {
        const auto message = dump->next();
        if (!message) return base::failed(message.errno_value());
        if (!*message) break;
        auto row = parse(**message);
        if (row && is_wanted(*row)) rows.push_back(std::move(*row));
    }
    return {};
}

// ── TCP and UDP ──────────────────────────────────────────────────────────────────────────────

// A program that the kernel runs for each socket: is the local port at least, and at most, this
// one? Each step is two words, an instruction with its jumps and an operand; a jump past the end
// leaves the socket out.
struct PortFilter {
    std::uint16_t length = sizeof(PortFilter);
    std::uint16_t type = INET_DIAG_REQ_BYTECODE;
    std::array<inet_diag_bc_op, 4> program{};

    explicit PortFilter(std::uint16_t port) {
        constexpr std::uint8_t kStep = 2 * sizeof(inet_diag_bc_op);
        constexpr std::uint16_t kOut = sizeof(inet_diag_bc_op);  // so far past the end
        program[0] = {.code = INET_DIAG_BC_S_GE, .yes = kStep, .no = 2 * kStep + kOut};
        program[1] = {.code = 0, .yes = 0, .no = port};
        program[2] = {.code = INET_DIAG_BC_S_LE, .yes = kStep, .no = kStep + kOut};
        program[3] = {.code = 0, .yes = 0, .no = port};
    }
};

struct FilteredQuestion {
    inet_diag_req_v2 question;
    PortFilter filter;
};

IpEndpoint ip_of(std::uint8_t family, const std::uint32_t* words, std::uint16_t port) {
    SocketAddress address;
    if (family == AF_INET) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = port;
        std::memcpy(&v4.sin_addr, words, sizeof v4.sin_addr);
        std::memcpy(address.room(), &v4, sizeof v4);
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = port;
        std::memcpy(&v6.sin6_addr, words, sizeof v6.sin6_addr);
        std::memcpy(address.room(), &v6, sizeof v6);
    }
    return address.ip();
}

bool is_v6_only(Bytes attributes) {
    while (const auto attribute = take_attribute(attributes)) {
        if (attribute->type != INET_DIAG_SKV6ONLY) continue;
        Bytes value = attribute->value;
        return take<std::uint8_t>(value).value_or(0) != 0;
    }
    return false;
}

base::Outcome<void> collect_family(int family, const InetQuestion& wanted,
                                   std::vector<InetRow>& rows) {
    inet_diag_req_v2 question{};
    question.sdiag_family = static_cast<std::uint8_t>(family);
    const bool is_udp = socket_type(wanted.scheme) == SOCK_DGRAM;
    question.sdiag_protocol = is_udp ? IPPROTO_UDP : IPPROTO_TCP;
    question.idiag_states = wanted.states;
    const auto is_wanted = [&](const InetRow& row) { return row.local.port == wanted.port; };

    const FilteredQuestion filtered{.question = question, .filter = PortFilter{wanted.port}};
    const auto done = collect(bytes_of(filtered), parse_inet_row, is_wanted, rows);
    if (done.errno_value() != EINVAL) return done;
    return collect(bytes_of(question), parse_inet_row, is_wanted, rows);  // no filter in there
}

// ── Unix ─────────────────────────────────────────────────────────────────────────────────────

std::string unix_name(Bytes path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t size = std::min(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), size);
    SocketAddress named;
    std::memcpy(named.room(), &address, sizeof address);
    *named.room_length() = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
    return named.endpoint(Scheme::unix_stream).name();
}

// The kernel's own form of a device number: 12 bits and 20.
std::uint64_t device_of(std::uint32_t kernel_device) {
    constexpr unsigned kMinorBits = 20;
    return makedev(kernel_device >> kMinorBits, kernel_device & ((1U << kMinorBits) - 1));
}

void read_unix_attribute(const NetlinkAttribute& attribute, UnixSocketRow& row) {
    Bytes value = attribute.value;
    if (attribute.type == UNIX_DIAG_NAME) row.name = unix_name(value);
    if (attribute.type == UNIX_DIAG_UID) row.uid = take<std::uint32_t>(value).value_or(0);
    if (attribute.type != UNIX_DIAG_VFS) return;
    const auto file = take<unix_diag_vfs>(value);
    if (!file) return;
    row.file_device = device_of(file->udiag_vfs_dev);
    row.file_inode = file->udiag_vfs_ino;
}

// What lies at the path now: a socket that was bound elsewhere may have been renamed to it.
struct Place {
    explicit Place(const std::string& wanted) : name(wanted) {
        if (!wanted.starts_with('@')) file = file_facts(wanted);
    }
    bool is_at_file(const UnixSocketRow& row) const {
        return file && row.file_device == file->device && row.file_inode != 0 &&
               row.file_inode == static_cast<std::uint32_t>(file->inode);
    }
    bool has(const UnixSocketRow& row) const { return row.name == name || is_at_file(row); }

    const std::string& name;
    base::Outcome<FileFacts> file = base::failed(ENOENT);
};

base::Outcome<std::vector<UnixSocketRow>> listed_unix_sockets(const std::string& name) {
    const auto text = read_file("/proc/net/unix");
    if (!text) return base::failed(text.errno_value());
    std::vector<UnixSocketRow> rows;
    for (std::string_view rest = *text; !rest.empty() && rows.size() < kSocketRowsMax;) {
        auto row = parse_unix_line(take_until(rest, '\n'));
        if (row && row->name == name) rows.push_back(std::move(*row));
    }
    return rows;
}

}  // namespace

base::Outcome<std::vector<InetRow>> inet_sockets(const InetQuestion& question) {
    std::vector<InetRow> rows;
    for (const int family : {AF_INET, AF_INET6}) {
        const auto done = collect_family(family, question, rows);
        if (!done) return base::failed(done.errno_value());
    }
    return rows;
}

std::optional<InetRow> parse_inet_row(Bytes message) {
    const auto fields = take<inet_diag_msg>(message);
    if (!fields || (fields->idiag_family != AF_INET && fields->idiag_family != AF_INET6)) {
        return std::nullopt;
    }
    const inet_diag_sockid& id = fields->id;
    InetRow row{
        .state = fields->idiag_state,
        .local = ip_of(fields->idiag_family, id.idiag_src, id.idiag_sport),
        .peer = {},
        .is_v6_only = is_v6_only(message),
        .uid = fields->idiag_uid,
        .inode = fields->idiag_inode,
        .receive_queue = fields->idiag_rqueue,
        .send_queue = fields->idiag_wqueue,
        .timer = {},
    };
    row.local.zone = id.idiag_if;
    if (id.idiag_dport != 0) row.peer = ip_of(fields->idiag_family, id.idiag_dst, id.idiag_dport);
    if (fields->idiag_timer != 0) row.timer = std::chrono::milliseconds{fields->idiag_expires};
    return row;
}

base::Outcome<std::vector<UnixSocketRow>> unix_sockets(const std::string& name) {
    unix_diag_req question{};
    question.sdiag_family = AF_UNIX;
    question.udiag_states = ~0U;
    question.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_UID;
    const Place place{name};
    std::vector<UnixSocketRow> rows;
    const auto done = collect(
        bytes_of(question), parse_unix_row,
        [&](const UnixSocketRow& row) { return place.has(row); }, rows);
    if (!done) return listed_unix_sockets(name);
    for (UnixSocketRow& row : rows) {
        if (place.is_at_file(row)) row.file_inode = place.file->inode;
    }
    return rows;
}

std::optional<UnixSocketRow> parse_unix_row(Bytes message) {
    const auto fields = take<unix_diag_msg>(message);
    if (!fields || fields->udiag_family != AF_UNIX) return std::nullopt;
    UnixSocketRow row{
        .name = {},
        .is_listening = fields->udiag_state == TCP_LISTEN,
        .type = fields->udiag_type,
        .inode = fields->udiag_ino,
    };
    while (const auto attribute = take_attribute(message)) read_unix_attribute(*attribute, row);
    return row;
}

// Num RefCount Protocol Flags Type St Inode Path
std::optional<UnixSocketRow> parse_unix_line(std::string_view line) {
    std::array<std::string_view, 7> words;
    std::ranges::generate(words, [&] { return take_word(line); });
    constexpr int kHex = 16;
    const auto flags = number_of<std::uint32_t>(words[3], kHex);
    const auto type = number_of<std::uint16_t>(words[4], kHex);
    const auto inode = number_of<std::uint32_t>(words[6]);
    if (!flags || !type || !inode || line.size() < 2) return std::nullopt;
    constexpr std::uint32_t kAcceptsConnections = 1U << 16U;  // __SO_ACCEPTCON
    return UnixSocketRow{
        .name = std::string{line.substr(1)},
        .is_listening = (*flags & kAcceptsConnections) != 0,
        .type = *type,
        .inode = *inode,
    };
}

}  // namespace berth::os
