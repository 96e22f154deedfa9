// SPDX-License-Identifier: MIT
//
// EventHandler: the defaults.
//
// Out of the header, so that there is one vtable, and so that the compiler does not compare each
// virtual call with a default that hardly anybody keeps.

#include <berth/handler.hpp>

namespace berth {

EventHandler::~EventHandler() = default;

void EventHandler::on_boot(Engine&) {}
void EventHandler::on_loop_start(EventLoop&) {}
void EventHandler::on_loop_stop(EventLoop&) {}
Action EventHandler::on_open(Connection&) { return Action::none; }
void EventHandler::on_connect_failed(EventLoop&, ConnectionId, const Error&) {}
Action EventHandler::on_traffic(Connection&) { return Action::none; }
Action EventHandler::on_end(Connection&) { return Action::close; }
void EventHandler::on_writable(Connection&) {}
Action EventHandler::on_drain(Connection&, Deadline) { return Action::close; }
void EventHandler::on_close(Connection&, CloseReason) {}
void EventHandler::on_datagram(Datagram&) {}
std::optional<Buffer> EventHandler::on_export(Connection&) { return {}; }
Action EventHandler::on_import(Connection&, Bytes) { return Action::none; }
void EventHandler::on_reload(Engine&) {}
void EventHandler::on_listener_closed(Engine&, const ListenerReport&) {}
Duration EventHandler::on_tick(EventLoop&) { return kNever; }
void EventHandler::on_shutdown(const StopReport&) {}

}  // namespace berth
