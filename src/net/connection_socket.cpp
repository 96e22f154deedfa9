// SPDX-License-Identifier: MIT
//
// ConnectionCore and its socket: settings, a duplicate, who is at the other end.

#include "net/connection_core.hpp"
#include "net/connection_table.hpp"
#include "net/socket_settings.hpp"

namespace berth::net {

namespace {

Error closed(const char* operation) {
    return Error(ErrorCode::not_running, operation).because("the connection is closed");
}

Error shared(const char* operation) {
    return Error(ErrorCode::unsupported, operation)
        .because("a session has no socket of its own, but a share of its listener's")
        .fix("set it in Options, for the listener");
}

}  // namespace

Result<void> ConnectionCore::set_option(const char* operation, const SocketSetting& setting) {
    if (is_session()) return berth::fail(shared(operation));
    if (!driver::is_open(descriptor)) return berth::fail(closed(operation));
    if (peer_family_ == 0 && !setting.is_general()) {
        return berth::fail(Error(ErrorCode::unsupported, operation)
                               .because("a Unix socket has no such option")
                               .fix("ask for it on tcp connections only"));
    }
    const auto done = table_.system().set(descriptor, setting.option, setting.value);
    if (!done) return berth::fail(Error::from_errno(operation, done.errno_value()));
    return {};
}

Result<int> ConnectionCore::duplicate() const {
    if (is_session()) return berth::fail(shared("duplicate"));
    if (!driver::is_open(descriptor)) return berth::fail(closed("duplicate"));
    const auto copy = table_.system().duplicate(descriptor);
    if (!copy) return berth::fail(Error::from_errno("duplicate", copy.errno_value()));
    return static_cast<int>(*copy);
}

Result<PeerCredentials> ConnectionCore::peer_credentials() const {
    if (!driver::is_open(descriptor)) return berth::fail(closed("peer_credentials"));
    if (peer_family_ != 0) {
        return berth::fail(Error(ErrorCode::unsupported, "peer_credentials")
                               .because("the peer of a tcp connection may be on another machine")
                               .fix("listen on a Unix socket to know who connects"));
    }
    const auto peer = table_.system().peer_credentials(descriptor);
    if (!peer) return berth::fail(Error::from_errno("peer_credentials", peer.errno_value()));
    return PeerCredentials{.pid = peer->pid, .uid = peer->uid, .gid = peer->gid};
}

}  // namespace berth::net
