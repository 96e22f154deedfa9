// SPDX-License-Identifier: MIT
//
// HttpAnswers: what is answered, as bytes. The usual answer is made once a second, for its date.
//
// Threads:   one: each loop has its own.
// See:       RFC 9110, RFC 9112.

#pragma once

#include <berth/clock.hpp>

#include <string>
#include <string_view>

namespace berth::app {

class HttpAnswers {
public:
    static constexpr std::string_view kPage = "Hello, world!\n";

    struct Form {
        bool with_body = true;  // false: to HEAD
        bool keep_alive = true;
        bool is_old = false;  // HTTP/1.0 has to be told that the connection is kept
    };

    // The page, to a client of HTTP/1.1 that goes on. Good until the next call.
    std::string_view page(Instant now) {
        if (now >= stale_at_) [[unlikely]]
            renew(now);
        return page_;
    }
    static std::string answer(int status, Form form);

private:
    void renew(Instant now);

    std::string page_;
    Instant stale_at_;
};

}  // namespace berth::app
