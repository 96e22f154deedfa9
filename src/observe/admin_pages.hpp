// SPDX-License-Identifier: MIT
//
// AdminPages: which page answers which path.
//
// Lifetime:  the engine outlives it.
// Threads:   one.

#pragma once

#include "observe/health.hpp"
#include "observe/http_answer.hpp"
#include "observe/http_request.hpp"

#include <berth/engine.hpp>

namespace berth::observe {

class AdminPages {
public:
    AdminPages(const Engine& watched, Duration busy_max) : watched_(watched), loops_(busy_max) {}

    // Now and then: how the loops do.
    void look() { loops_.look(watched_.snapshot()); }
    HttpAnswer answer(const HttpRequest& request);

private:
    HttpAnswer page(std::string_view path);

    const Engine& watched_;
    LoopWatch loops_;
};

}  // namespace berth::observe
