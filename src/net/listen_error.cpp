// SPDX-License-Identifier: MIT
//
// listen_error: remedies by errno.

#include "net/listen_error.hpp"

#include <cerrno>
#include <string>
#include <utility>

namespace berth::net {

namespace {

std::string remedy_for(const Endpoint& endpoint, int errno_value) {
    switch (errno_value) {
        case EADDRINUSE:
            if (endpoint.is_unix()) return "stop the server that owns it, or choose another path";
            return "`berth port " + std::to_string(endpoint.port()) +
                   "` shows who has it; stop it, or choose another port (0: any free one)";
        case EADDRNOTAVAIL: return "listen on an address of this machine (`ip address` lists them)";
        case EACCES:
            if (endpoint.is_unix()) return "choose a directory that this user may write to";
            return "a port below net.ipv4.ip_unprivileged_port_start needs CAP_NET_BIND_SERVICE; "
                   "choose a higher port or grant it";
        default: return {};
    }
}

}  // namespace

Error listen_error(const char* operation, int errno_value, const Endpoint& endpoint) {
    return Error::from_errno(operation, errno_value)
        .at(endpoint.to_string())
        .fix(remedy_for(endpoint, errno_value));
}

Error device_error(int errno_value, const Endpoint& endpoint, const std::string& device) {
    Error error = Error::from_errno("bind to device", errno_value).at(endpoint.to_string());
    switch (errno_value) {
        case EPERM:
            return std::move(error)
                .because("to be bound to " + device + " a process needs CAP_NET_RAW here")
                .fix(
                    "grant it (AmbientCapabilities=CAP_NET_RAW, or setcap cap_net_raw+ep on the "
                    "program); from Linux 5.7 on it is not needed");
        case ENODEV:
            return std::move(error)
                .because("there is no network interface " + device)
                .fix("`ip link` lists them");
        default: return std::move(error).because("the interface is " + device);
    }
}

}  // namespace berth::net
