// SPDX-License-Identifier: MIT
//
// HttpAnswer: status line, fields, body.

#include "observe/http_answer.hpp"

namespace berth::observe {

namespace {

std::string_view phrase(int status) {
    switch (status) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 431: return "Request Header Fields Too Large";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        default: return "Internal Server Error";
    }
}

}  // namespace

std::string HttpAnswer::to_wire(Form form) const {
    std::string wire = "HTTP/1.1 " + std::to_string(status) + " ";
    wire.append(phrase(status)).append("\r\nContent-Type: ").append(type);
    wire +=
        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nCache-Control: no-store\r\n";
    if (status == 405) wire += "Allow: GET, HEAD\r\n";
    if (!form.keep_alive) wire += "Connection: close\r\n";
    wire += "\r\n";
    if (form.with_body) wire += body;
    return wire;
}

}  // namespace berth::observe
