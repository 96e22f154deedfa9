// SPDX-License-Identifier: MIT
//
// HttpScanner: the heads of HTTP/1 requests, out of a stream that arrives in any pieces.
//
// One pass over the bytes, strict where leniency lets two readers disagree about where a request
// ends: lines end with CRLF, a length is digits and is given once, and a body of any other kind
// is refused. What is refused cannot be read on from: answer, and close.
//
// Lifetime:  keeps no view of what it was shown.
// Threads:   one.
// See:       RFC 9112 (HTTP/1.1), RFC 9110 (HTTP semantics).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::app {

enum class HttpMethod : std::uint8_t {
    get,
    head,
    connect,
    other,  // known, and not for a page that is only read
};

struct HttpRequest {
    HttpMethod method = HttpMethod::get;
    bool is_old = false;      // HTTP/1.0
    bool keep_alive = false;  // the client would go on
    std::size_t head_size = 0;
    std::uint64_t body_size = 0;
};

enum class Scanned : std::uint8_t {
    incomplete,  // the head goes on
    complete,
    refused,
};

class HttpScanner {
public:
    static constexpr std::size_t kHeadMax = 8U << 10U;

    // `input` begins where the request begins. After `incomplete`, ask again with the same bytes
    // and more: what was read is not read again, but for the line that had no end.
    Scanned scan(std::string_view input);

    const HttpRequest& request() const { return request_; }  // after `complete`
    int refusal() const { return refusal_; }                 // after `refused`: a status

private:
    class Cursor;
    enum class Line : std::uint8_t { cut, read, last, refused };

    Line read_line(Cursor& cursor);
    bool read_usual_line(Cursor& cursor);
    Line read_request_line(Cursor& cursor);
    Line read_field(Cursor& cursor);
    Line read_version(std::string_view version);
    Line take_field(std::string_view name, std::string_view value);
    Line take_length(std::string_view value);
    Line take_coding(std::string_view value);
    Line take_connection(std::string_view value);
    Line end_head();
    Line refuse(int status);

    HttpRequest request_;
    std::size_t line_ = 0;  // where the line begins that is to be read
    std::size_t seen_ = 0;  // how much there was, the last time
    int refusal_ = 0;
    int coding_refusal_ = 0;
    std::uint8_t hosts_ = 0;
    bool has_method_ = false;
    bool has_length_ = false;
    bool says_close_ = false;
    bool says_keep_alive_ = false;
    bool expects_ = false;
};

}  // namespace berth::app
