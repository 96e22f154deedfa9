// SPDX-License-Identifier: MIT
//
// Lookup: what answers mean, alone and together.

#include "lookup.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace berth::cares {

namespace {

constexpr std::uint8_t kIpv4 = 4;  // IpEndpoint::family
constexpr std::uint8_t kIpv6 = 6;

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

IpEndpoint address_of(const ares_addrinfo_node& node) {
    IpEndpoint ip;
    if (node.ai_family == AF_INET && node.ai_addrlen >= sizeof(sockaddr_in)) {
        sockaddr_in address{};
        std::memcpy(&address, node.ai_addr, sizeof address);
        std::memcpy(ip.address.data(), &address.sin_addr, sizeof address.sin_addr);
        ip.family = kIpv4;
    } else if (node.ai_family == AF_INET6 && node.ai_addrlen >= sizeof(sockaddr_in6)) {
        sockaddr_in6 address{};
        std::memcpy(&address, node.ai_addr, sizeof address);
        std::memcpy(ip.address.data(), &address.sin6_addr, sizeof address.sin6_addr);
        ip.zone = address.sin6_scope_id;
        ip.family = kIpv6;
    }
    return ip;
}

// The TTL of all of them is the shortest. /etc/hosts has none.
ResolvedName name_of(const ares_addrinfo* found) {
    ResolvedName name;
    for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
        const IpEndpoint address = address_of(*node);
        if (address.family == 0) continue;
        name.addresses.push_back(address);
        if (node->ai_ttl <= 0) continue;
        const Duration ttl = std::chrono::seconds{node->ai_ttl};
        name.ttl = std::min(name.ttl.value_or(ttl), ttl);
    }
    return name;
}

}  // namespace

bool Lookup::add(int status, const ares_addrinfo* found) {
    // Who was not heard may have what the others have not.
    if (status != ARES_SUCCESS && code_of(status_) == ErrorCode::name_not_found) status_ = status;
    const ResolvedName more = found == nullptr ? ResolvedName{} : name_of(found);
    if (!more.addresses.empty()) {
        auto& all = name_.addresses;
        const bool goes_first = more.addresses.front().family == kIpv6;
        all.insert(goes_first ? all.begin() : all.end(), more.addresses.begin(),
                   more.addresses.end());
        const auto ttl = more.ttl ? more.ttl : name_.ttl;
        if (ttl) name_.ttl = std::min(name_.ttl.value_or(*ttl), *ttl);
    }
    if (--open_ == 0) return true;
    if (!more.addresses.empty() && query_.early) query_.early(ResolvedName(name_));
    return false;
}

bool Lookup::has_nothing() const {
    return name_.addresses.empty() && code_of(status_) == ErrorCode::name_not_found;
}

void Lookup::answer() {
    if (!name_.addresses.empty()) return answer_(std::move(name_));
    answer_(fail(Error(code_of(status_), "resolve").because(ares_strerror(status_))));
}

}  // namespace berth::cares
