// SPDX-License-Identifier: MIT
//
// AdminHandler: requests in, pages out.

#include "observe/admin_handler.hpp"

#include <berth/bytes.hpp>

namespace berth::observe {

Action AdminHandler::on_open(Connection& peer) {
    peer.emplace_context<Visitor>(Visitor{.waited_for = peer.loop().now()});
    return Action::none;
}

Action AdminHandler::on_traffic(Connection& peer) { return serve(peer); }

// The answers to what came before the peer's FIN are sent before ours.
Action AdminHandler::on_end(Connection& peer) {
    peer.context<Visitor>()->has_ended = true;
    return serve(peer);
}

// The answers that the peer had not read kept the next ones back.
void AdminHandler::on_writable(Connection& peer) {
    if (serve(peer) == Action::close) peer.close();
}

Action AdminHandler::serve(Connection& peer) {
    Visitor& visitor = *peer.context<Visitor>();
    Step step = Step::answered;
    while (step == Step::answered && peer.is_open() && peer.unread() > 0) {
        step = serve_one(peer, visitor);
    }
    const bool is_over = step == Step::ends || (visitor.has_ended && peer.unread() == 0);
    return is_over ? Action::close : Action::none;
}

AdminHandler::Step AdminHandler::serve_one(Connection& peer, Visitor& visitor) {
    const HttpRequest request = read_request(as_text(peer.peek()));
    if (request.reading == Reading::incomplete) {
        if (visitor.waited_for.is_never()) visitor.waited_for = peer.loop().now();
        return visitor.has_ended ? Step::ends : Step::waits;
    }
    visitor.waited_for = Instant::never();
    const HttpAnswer answer = pages_.answer(request);
    const bool keep_alive =
        request.keep_alive && request.reading == Reading::complete && answer.status != 405;
    const auto written = peer.write(
        answer.to_wire({.with_body = request.method != "HEAD", .keep_alive = keep_alive}));
    peer.discard(request.size);
    if (!keep_alive) return Step::ends;
    return written == WriteStatus::queued ? Step::answered : Step::waits;
}

Duration AdminHandler::on_tick(EventLoop& loop) {
    pages_.look();
    loop.for_each([this](Connection& peer) { give_up_if_late(peer); });
    return kTick;
}

void AdminHandler::give_up_if_late(Connection& peer) {
    const Instant since = peer.context<Visitor>()->waited_for;
    if (since.is_never() || peer.loop().now() - since < kHeadTime) return;
    const HttpAnswer answer{.status = 408, .body = "the request did not end\n"};
    peer.write(answer.to_wire({.keep_alive = false}));
    peer.close();
}

}  // namespace berth::observe
