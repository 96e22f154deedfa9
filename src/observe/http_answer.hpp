// SPDX-License-Identifier: MIT
//
// HttpAnswer: what a page says, and how it goes over the wire.
//
// See:       RFC 9112, RFC 9110.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::observe {

inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

struct HttpAnswer {
    int status = 200;
    std::string body;
    std::string_view type = kPlainText;

    struct Form {
        bool with_body = true;  // false: HEAD
        bool keep_alive = true;
    };
    std::string to_wire(Form form) const;
};

}  // namespace berth::observe
