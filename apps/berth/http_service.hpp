// SPDX-License-Identifier: MIT
//
// HttpService: one page over HTTP/1, to whoever asks, as fast as that goes.
//
// An answer is given as soon as the head of its request is there; a body is skipped as it comes.
// While a stop is under way, the last answer to what has arrived says `Connection: close`, and a
// request that has begun to arrive is waited for, up to the deadline.
//
// Threads:   as EventHandler; what the loops write to, each has for itself.

#pragma once

#include "announcer.hpp"
#include "http_answer.hpp"
#include "http_scanner.hpp"

#include <berth/connection.hpp>
#include <berth/engine.hpp>
#include <berth/handler.hpp>
#include <berth/in_flight.hpp>

#include <vector>

namespace berth::app {

class HttpService final : public Announcer {
public:
    using Announcer::Announcer;

    void on_boot(Engine& engine) override;
    Action on_traffic(Connection& peer) override;

private:
    struct Reader;
    struct Unfinished;
    struct alignas(64) OfLoop {
        HttpAnswers answers;
    };

    Action serve(Connection& peer, Reader& reader);
    Action resume(Connection& peer, Reader& reader, Unfinished unfinished);
    static void keep(Connection& peer, const Reader& reader, InFlight token);
    static Action end(Connection& peer, Reader& reader);

    std::vector<OfLoop> loops_;
};

}  // namespace berth::app
