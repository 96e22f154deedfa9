// SPDX-License-Identifier: MIT
//
// ProxyService: dials the backend on the client's loop, and joins the two.

#include "proxy_service.hpp"

#include <berth/connection_id.hpp>
#include <berth/dial.hpp>
#include <berth/event_loop.hpp>
#include <berth/in_flight.hpp>
#include <berth/result.hpp>

#include <utility>

namespace berth::app {

namespace {

// A backend that nobody waits for any more is closed in order: it was asked for nothing.
void join(EventLoop& loop, ConnectionId client, const Result<ConnectionId>& dialled) {
    Connection* const front = loop.find(client);
    Connection* const back = dialled ? loop.find(*dialled) : nullptr;
    if (front != nullptr && back != nullptr && front->relay_to(*back)) return;
    if (back != nullptr) back->close();
    if (front != nullptr) front->close(CloseMode::reset);
}

}  // namespace

// What the client sends meanwhile waits in the kernel; the token keeps a stop from closing it.
Action ProxyService::on_open(Connection& peer) {
    if (peer.listener_index() == Connection::kNoListener) return Action::none;
    peer.pause_read();
    EventLoop& loop = peer.loop();
    auto tell = [token = peer.begin()](EventLoop& on, const Result<ConnectionId>& dialled) {
        join(on, token.id(), dialled);
    };
    const auto begun =
        loop.connect(backend_, {.deadline = loop.now() + dial_timeout_, .done = std::move(tell)});
    return begun ? Action::none : Action::close;
}

}  // namespace berth::app
