// SPDX-License-Identifier: MIT
//
// Scene of the kernel facts: a network namespace of the program's own, and plain system calls.
//
// Where the user may not make a namespace, the facts are looked at in the one that there is; those
// that change its settings are skipped.
//
// Errors:    the functions that answer an int answer an errno, 0 for success; the others throw
//            std::system_error, and the test fails with the call's name.

#pragma once

#include "driver/socket_rows.hpp"
#include "support/raw_socket.hpp"

#include <berth/endpoint.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::kernel {

using test::OwnedDescriptor;

bool has_own_namespace();
// False: it could not be set. Of this namespace alone.
bool set_sysctl(const std::string& name, const std::string& value);
bool is_root();

// ── Sockets ──────────────────────────────────────────────────────────────────────────────────

OwnedDescriptor open_socket(int family = AF_INET, int type = SOCK_STREAM);
int set_option(const OwnedDescriptor& socket, int level, int name, int value);
int option(const OwnedDescriptor& socket, int level, int name);
void reset_on_close(const OwnedDescriptor& socket);  // SO_LINGER {1, 0}

sockaddr_in v4(std::uint16_t port, std::uint32_t host = INADDR_LOOPBACK);
sockaddr_in6 v6(std::uint16_t port, const in6_addr& host = in6addr_loopback);
int bind_to(const OwnedDescriptor& socket, const sockaddr_in& address);
int bind_to(const OwnedDescriptor& socket, const sockaddr_in6& address);
int listen_on(const OwnedDescriptor& socket, int backlog = 64);
std::uint16_t port_of(const OwnedDescriptor& socket);

OwnedDescriptor listener(int reuse_option = 0, std::uint16_t port = 0);
// Connected when it returns.
OwnedDescriptor client_of(std::uint16_t port);
// Does not wait; the SYN has been handled, or dropped.
OwnedDescriptor knock_at(std::uint16_t port);
bool is_connected(const OwnedDescriptor& client);
OwnedDescriptor accept_from(const OwnedDescriptor& listener);  // waits
// An errno if nobody is there.
std::pair<OwnedDescriptor, int> accept_now(const OwnedDescriptor& listener);

struct Connected {
    OwnedDescriptor server;
    OwnedDescriptor client;
};
Connected connection_to(const OwnedDescriptor& listener);

std::size_t send_text(const OwnedDescriptor& socket, std::string_view text);
// Until FIN or reset, or until `patience` is over: then the test fails.
enum class End : std::uint8_t { fin, reset };
struct Read {
    std::string text;
    End end = End::fin;
};
Read read_to_end(const OwnedDescriptor& socket);
bool becomes_readable(const OwnedDescriptor& socket);

tcp_info info_of(const OwnedDescriptor& socket);
std::size_t unacknowledged(const OwnedDescriptor& socket);  // SIOCOUTQ

// ── What sock_diag shows ─────────────────────────────────────────────────────────────────────

using driver::SocketRow;
using driver::SocketState;
std::vector<SocketRow> rows(std::uint16_t port, SocketState state);
// Waits until there are so many.
bool has_rows(std::uint16_t port, SocketState state, std::size_t count = 1);

}  // namespace berth::kernel
