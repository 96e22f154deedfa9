// SPDX-License-Identifier: MIT
//
// look_up_name: getaddrinfo(3), the only call of berth that waits for others.
//
// It answers from whatever nsswitch.conf(5) names: /etc/hosts, DNS, mDNS, the names of containers.
// How long it takes is up to resolv.conf(5): tens of seconds where name servers are dead.
//
// Threads:   any; nothing can interrupt it.

#pragma once

#include <berth/resolver.hpp>
#include <berth/result.hpp>

#include <string>

namespace berth::os {

Result<ResolvedName> look_up_name(const std::string& host, AddressFamily family);

}  // namespace berth::os
