// SPDX-License-Identifier: MIT
//
// AdminPages: metrics, health, state.

#include "observe/admin_pages.hpp"

#include "observe/metrics.hpp"
#include "observe/state_json.hpp"

#include <utility>

namespace berth::observe {

namespace {

constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

constexpr std::string_view kIndex =
    "/metrics  Prometheus text\n"
    "/livez    200 while every loop comes round\n"
    "/readyz   200 while clients may be sent here\n"
    "/state    JSON\n";

HttpAnswer health_page(Health health) {
    return {.status = health.is_well ? 200 : 503, .body = std::move(health.text)};
}

}  // namespace

HttpAnswer AdminPages::answer(const HttpRequest& request) {
    if (request.reading == Reading::refused) {
        return {.status = request.refusal, .body = std::string(request.why) + '\n'};
    }
    if (request.method != "GET" && request.method != "HEAD") {
        return {.status = 405, .body = "these pages are only read\n"};
    }
    return page(request.path);
}

HttpAnswer AdminPages::page(std::string_view path) {
    if (path == "/metrics") {
        return {.body = metrics_text(watched_.snapshot()), .type = kMetricsType};
    }
    if (path == "/livez") return health_page(loops_.liveness(watched_.snapshot()));
    if (path == "/readyz") return health_page(readiness(watched_.snapshot()));
    if (path == "/state") {
        return {.body = state_json(watched_.snapshot()) + '\n', .type = "application/json"};
    }
    if (path == "/") return {.body = std::string(kIndex)};
    return {.status = 404, .body = "no such page; / lists them\n"};
}

}  // namespace berth::observe
