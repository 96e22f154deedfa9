// SPDX-License-Identifier: MIT
//
// read_request: the head of an HTTP/1 request, read strictly.
//
// Enough for pages that are only read: the method, the path, and whether the connection is kept.
// A request that announces a body is refused, so the next one begins where this head ends. What
// is refused cannot be read on from: answer, and close.
//
// Lifetime:  the views are parts of the input.
// Threads:   pure.
// See:       RFC 9112 (HTTP/1.1), RFC 9110 (HTTP semantics).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::observe {

inline constexpr std::size_t kHeadMax = 8U << 10U;

enum class Reading : std::uint8_t {
    incomplete,  // the head goes on
    complete,
    refused,
};

struct HttpRequest {
    Reading reading = Reading::incomplete;
    int refusal = 0;       // 400, 431, 505
    std::string_view why;  // it was refused
    std::size_t size = 0;  // of the head
    std::string_view method;
    std::string_view path;  // without the query
    bool keep_alive = true;
};

HttpRequest read_request(std::string_view input);

}  // namespace berth::observe
