// SPDX-License-Identifier: MIT
//
// Channel: asking, waiting, and what answers mean.

#include "channel.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace berth::cares {

namespace {

using std::chrono::milliseconds;

ErrorCode code_of(int status) {
    switch (status) {
        case ARES_ENODATA:
        case ARES_ENOTFOUND:
        case ARES_ENONAME: return ErrorCode::name_not_found;
        case ARES_ENOMEM: return ErrorCode::memory_limit;
        case ARES_EDESTRUCTION:
        case ARES_ECANCELLED: return ErrorCode::not_running;
        case ARES_EBADNAME:
        case ARES_EBADFAMILY: return ErrorCode::unsupported;
        default: return ErrorCode::name_unavailable;  // silence, or a server that is broken for now
    }
}

Error error_of(int status) {
    return Error(code_of(status), "resolve").because(ares_strerror(status));
}

int family_of(AddressFamily family) {
    switch (family) {
        case AddressFamily::v4: return AF_INET;
        case AddressFamily::v6: return AF_INET6;
        case AddressFamily::any: break;
    }
    return AF_UNSPEC;
}

IpEndpoint address_of(const ares_addrinfo_node& node) {
    IpEndpoint ip;
    if (node.ai_family == AF_INET && node.ai_addrlen >= sizeof(sockaddr_in)) {
        sockaddr_in address{};
        std::memcpy(&address, node.ai_addr, sizeof address);
        std::memcpy(ip.address.data(), &address.sin_addr, sizeof address.sin_addr);
        ip.family = 4;
    } else if (node.ai_family == AF_INET6 && node.ai_addrlen >= sizeof(sockaddr_in6)) {
        sockaddr_in6 address{};
        std::memcpy(&address, node.ai_addr, sizeof address);
        std::memcpy(ip.address.data(), &address.sin6_addr, sizeof address.sin6_addr);
        ip.zone = address.sin6_scope_id;
        ip.family = 6;
    }
    return ip;
}

// The TTL of all of them is the shortest. /etc/hosts has none.
Result<ResolvedName> answer_of(int status, const ares_addrinfo* found) {
    if (status != ARES_SUCCESS) return fail(error_of(status));
    ResolvedName name;
    for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
        const IpEndpoint address = address_of(*node);
        if (address.family == 0) continue;
        name.addresses.push_back(address);
        if (node->ai_ttl <= 0) continue;
        const Duration ttl = std::chrono::seconds{node->ai_ttl};
        name.ttl = std::min(name.ttl.value_or(ttl), ttl);
    }
    if (name.addresses.empty()) return fail(error_of(ARES_ENODATA));
    return name;
}

void answered(void* argument, int status, int, ares_addrinfo* found) {
    const std::unique_ptr<NameAnswer> answer(static_cast<NameAnswer*>(argument));
    auto result = answer_of(status, found);
    if (found != nullptr) ares_freeaddrinfo(found);
    (*answer)(std::move(result));
}

Error cannot_begin(int status) {
    return Error(
               code_of(status) == ErrorCode::memory_limit ? ErrorCode::memory_limit : ErrorCode::io,
               "begin c-ares")
        .because(ares_strerror(status));
}

}  // namespace

Result<std::unique_ptr<Channel>> Channel::open(const CaresResolverOptions& options) {
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    if (library != ARES_SUCCESS) return fail(cannot_begin(library));
    std::unique_ptr<Channel> channel(new Channel());
    ares_options wanted{};
    wanted.timeout =
        static_cast<int>(std::chrono::duration_cast<milliseconds>(options.timeout).count());
    wanted.tries = static_cast<int>(options.tries);
    wanted.sock_state_cb = &Channel::watch;
    wanted.sock_state_cb_data = channel.get();
    const int begun = ares_init_options(
        &channel->channel_, &wanted, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (begun != ARES_SUCCESS) {
        channel->channel_ = nullptr;
        return fail(cannot_begin(begun));
    }
    if (options.servers.empty()) return channel;
    const int set = ares_set_servers_ports_csv(channel->channel_, options.servers.c_str());
    if (set == ARES_SUCCESS) return channel;
    return fail(Error(ErrorCode::invalid_option, "begin c-ares")
                    .because("CaresResolverOptions::servers: \"" + options.servers + '"')
                    .fix("write addresses, like 192.0.2.1:53,[2001:db8::1]:53"));
}

// What is open is answered from inside.
Channel::~Channel() {
    if (channel_ != nullptr) ares_destroy(channel_);
}

void Channel::ask(const NameQuery& query, NameAnswer&& answer) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family_of(query.family);
    hints.ai_socktype = SOCK_STREAM;  // each address once
    auto owned = std::make_unique<NameAnswer>(std::move(answer));
    ares_getaddrinfo(channel_, query.host.c_str(), nullptr, &hints, &answered, owned.release());
}

void Channel::watch(void* channel, ares_socket_t socket, int readable, int writable) {
    auto& sockets = static_cast<Channel*>(channel)->sockets_;
    const auto events =
        static_cast<short>((readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0));
    if (events == 0) {
        sockets.erase(socket);
    } else {
        sockets[socket] = events;
    }
}

void Channel::wait(int wake) {
    std::vector<pollfd> polled{{.fd = wake, .events = POLLIN, .revents = 0}};
    for (const auto& [socket, events] : sockets_) {
        polled.push_back({.fd = socket, .events = events, .revents = 0});
    }
    timeval left{};
    const bool has_timeout = ares_timeout(channel_, nullptr, &left) != nullptr;
    const long milliseconds_left = left.tv_sec * 1000 + left.tv_usec / 1000 + 1;
    const int timeout = has_timeout ? static_cast<int>(milliseconds_left) : -1;
    if (::poll(polled.data(), polled.size(), timeout) > 0) {
        for (std::size_t i = 1; i < polled.size(); ++i) process(polled[i].fd, polled[i].revents);
    }
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // timeouts
}

// An earlier one may have closed it.
void Channel::process(ares_socket_t socket, short events) {
    if (events == 0 || !sockets_.contains(socket)) return;
    const auto has = [events](int wanted) { return (events & (wanted | POLLERR | POLLHUP)) != 0; };
    ares_process_fd(channel_, has(POLLIN) ? socket : ARES_SOCKET_BAD,
                    has(POLLOUT) ? socket : ARES_SOCKET_BAD);
}

}  // namespace berth::cares
