// SPDX-License-Identifier: MIT
//
// HttpService: requests in, answers out.

#include "http_service.hpp"

#include <berth/bytes.hpp>
#include <berth/engine_state.hpp>
#include <berth/event_loop.hpp>
#include <berth/in_flight.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::app {

namespace {

void answer(Connection& peer, const HttpRequest& request, bool keep_alive, std::string_view page) {
    if (request.method == HttpMethod::get && keep_alive && !request.is_old) {
        peer.write(page);
        return;
    }
    const int status = request.method <= HttpMethod::head ? 200 : 405;
    peer.write(HttpAnswers::answer(status, {.with_body = request.method != HttpMethod::head,
                                            .keep_alive = keep_alive,
                                            .is_old = request.is_old}));
}

}  // namespace

// What a connection has left to read, and how far that was read.
struct HttpService::Reader {
    std::string_view input;
    HttpScanner scanner{};
    std::uint64_t body_left = 0;

    Scanned scan() {
        const auto skipped = std::min<std::uint64_t>(body_left, input.size());
        body_left -= skipped;
        input.remove_prefix(skipped);
        return input.empty() ? Scanned::incomplete : scanner.scan(input);
    }
    HttpRequest take() {
        const HttpRequest request = scanner.request();
        scanner = {};
        input.remove_prefix(request.head_size);
        body_left = request.body_size;
        return request;
    }
    bool is_inside_request() const { return body_left > 0 || (!input.empty() && input != "\r\n"); }
};

// A request of which a part has arrived. Most connections never have one.
struct HttpService::Unfinished {
    HttpScanner scanner;
    std::uint64_t body_left = 0;
    InFlight token{};  // a stop waits for the rest
};

void HttpService::on_boot(Engine& engine) {
    loops_ = std::vector<OfLoop>(engine.loop_count());
    Announcer::on_boot(engine);
}

Action HttpService::on_traffic(Connection& peer) {
    Reader reader{.input = as_text(peer.peek())};
    if (auto* const unfinished = peer.context<Unfinished>()) [[unlikely]] {
        return resume(peer, reader, std::exchange(*unfinished, {}));
    }
    const Action action = serve(peer, reader);
    if (reader.is_inside_request()) [[unlikely]]
        keep(peer, reader, peer.begin());
    return action;
}

Action HttpService::resume(Connection& peer, Reader& reader, Unfinished unfinished) {
    reader.scanner = unfinished.scanner;
    reader.body_left = unfinished.body_left;
    const Action action = serve(peer, reader);
    if (!reader.is_inside_request()) return action;
    if (!unfinished.token.id()) unfinished.token = peer.begin();
    keep(peer, reader, std::move(unfinished.token));
    return action;
}

void HttpService::keep(Connection& peer, const Reader& reader, InFlight token) {
    auto* unfinished = peer.context<Unfinished>();
    if (unfinished == nullptr) unfinished = &peer.emplace_context<Unfinished>();
    *unfinished = {reader.scanner, reader.body_left, std::move(token)};
}

// Looks ahead by one request, so that each answer knows whether it is the last one.
Action HttpService::serve(Connection& peer, Reader& reader) {
    EventLoop& loop = peer.loop();
    const std::string_view page = loops_[loop.index()].answers.page(loop.now());
    const bool is_stopping = loop.engine().state() >= EngineState::lame_duck;
    Scanned scanned = reader.scan();
    while (scanned == Scanned::complete) {
        const HttpRequest request = reader.take();
        scanned = reader.scan();
        const bool is_last = is_stopping && reader.input.empty();
        const bool keep_alive = request.keep_alive && !is_last;
        answer(peer, request, keep_alive, page);
        if (!keep_alive) return end(peer, reader);
    }
    if (scanned == Scanned::refused) {
        const bool with_body = reader.scanner.request().method != HttpMethod::head;
        peer.write(HttpAnswers::answer(reader.scanner.refusal(), {with_body, false}));
        return end(peer, reader);
    }
    peer.discard(peer.unread() - reader.input.size());
    return Action::none;
}

// Whatever follows is not read.
Action HttpService::end(Connection& peer, Reader& reader) {
    reader = {};
    peer.discard();
    return Action::close;
}

}  // namespace berth::app
