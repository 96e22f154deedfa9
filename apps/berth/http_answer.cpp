// SPDX-License-Identifier: MIT
//
// HttpAnswers: status line, fields, body.

#include "http_answer.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>

namespace berth::app {

namespace {

std::string_view phrase(int status) {
    switch (status) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 405: return "Method Not Allowed";
        case 411: return "Length Required";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 431: return "Request Header Fields Too Large";
        case 501: return "Not Implemented";
        case 505: return "HTTP Version Not Supported";
        default: return "Internal Server Error";
    }
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7), in English whatever the locale.
std::string date() {
    const auto now = std::chrono::system_clock::now();
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

}  // namespace

std::string HttpAnswers::answer(int status, Form form) {
    const std::string body =
        status == 200 ? std::string(kPage) : fmt::format("{} {}\n", status, phrase(status));
    std::string text = fmt::format(
        "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n", status,
        phrase(status), date(), body.size());
    if (status == 405) text += "Allow: GET, HEAD\r\n";
    if (!form.keep_alive) {
        text += "Connection: close\r\n";
    } else if (form.is_old) {
        text += "Connection: keep-alive\r\n";
    }
    text += "\r\n";
    if (form.with_body) text += body;
    return text;
}

void HttpAnswers::renew(Instant now) {
    page_ = answer(200, {});
    stale_at_ = now + std::chrono::seconds{1};
}

}  // namespace berth::app
