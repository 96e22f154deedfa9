// SPDX-License-Identifier: MIT
//
// look_up_name: what is asked for, and what the answers mean.

#include "os/name_lookup.hpp"

#include "os/socket_address.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace berth::os {

namespace {

struct FreeAddresses {
    void operator()(addrinfo* first) const { ::freeaddrinfo(first); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

int family_of(AddressFamily family) {
    switch (family) {
        case AddressFamily::v4: return AF_INET;
        case AddressFamily::v6: return AF_INET6;
        case AddressFamily::any: break;
    }
    return AF_UNSPEC;
}

ErrorCode code_of(int failure) {
    switch (failure) {
        case EAI_NONAME:
        case EAI_NODATA:
        case EAI_ADDRFAMILY: return ErrorCode::name_not_found;
        case EAI_AGAIN:
        case EAI_FAIL: return ErrorCode::name_unavailable;  // a server that is broken for now
        case EAI_MEMORY: return ErrorCode::memory_limit;
        default: return ErrorCode::io;
    }
}

Error error_of(int failure, int errno_value) {
    if (failure == EAI_SYSTEM && errno_value != 0) {
        return Error::from_errno("resolve", errno_value);
    }
    Error error(code_of(failure), "resolve");
    error = std::move(error).because(::gai_strerror(failure));
    if (error.code() != ErrorCode::name_unavailable) return error;
    return std::move(error).fix("see whether the name servers of /etc/resolv.conf answer");
}

IpEndpoint address_of(const addrinfo& entry) {
    SocketAddress address;
    if (entry.ai_addrlen > sizeof(sockaddr_storage)) return {};
    std::memcpy(address.room(), entry.ai_addr, entry.ai_addrlen);
    *address.room_length() = entry.ai_addrlen;
    return address.ip();
}

}  // namespace

// Without AI_ADDRCONFIG: it would hide [::1] of /etc/hosts where only loopback has IPv6. An
// address of a family that has no route costs one connect(2), which fails at once.
Result<ResolvedName> look_up_name(const std::string& host, AddressFamily family) {
    addrinfo hints{};
    hints.ai_family = family_of(family);
    hints.ai_socktype = SOCK_STREAM;  // each address once
    addrinfo* first = nullptr;
    const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &first);
    const int errno_value = errno;
    const Addresses owned(first);
    if (failure != 0) return fail(error_of(failure, errno_value));
    ResolvedName name;
    for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
        const IpEndpoint address = address_of(*entry);
        if (address.family != 0) name.addresses.push_back(address);
    }
    if (name.addresses.empty()) return fail(error_of(EAI_NONAME, 0));
    return name;
}

}  // namespace berth::os
