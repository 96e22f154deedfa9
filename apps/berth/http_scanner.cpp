// SPDX-License-Identifier: MIT
//
// HttpScanner: lines, and the few fields that say where a request ends.

#include "http_scanner.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace berth::app {

namespace {

// ── Characters (RFC 9110, 5.5 and 5.6.2) ─────────────────────────────────────────────────────

enum Kind : std::uint8_t {
    kToken = 1,      // of methods and field names
    kVisible = 2,    // of targets and versions: neither a control nor a space
    kText = 4,       // of field values; bytes above ASCII are let through
    kAuthority = 8,  // of host and port
};

constexpr bool is_token(unsigned char one) {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return (one >= '0' && one <= '9') || (one >= 'A' && one <= 'Z') || (one >= 'a' && one <= 'z') ||
           kOthers.find(static_cast<char>(one)) != std::string_view::npos;
}

constexpr std::array<std::uint8_t, 256> kKinds = [] {
    std::array<std::uint8_t, 256> kinds{};
    for (std::size_t one = 0; one < kinds.size(); ++one) {
        unsigned kind = 0;
        if (is_token(static_cast<unsigned char>(one))) kind |= kToken;
        if (one > ' ' && one < 0x7f) kind |= kVisible;
        constexpr std::string_view kSeparators = ",/?#@\\";
        const bool separates = kSeparators.find(static_cast<char>(one)) != std::string_view::npos;
        if (one > ' ' && one < 0x7f && !separates) kind |= kAuthority;
        if (one == '\t' || (one >= ' ' && one != 0x7f)) kind |= kText;
        kinds[one] = static_cast<std::uint8_t>(kind);
    }
    return kinds;
}();

constexpr bool is_of(char one, Kind kind) {
    return (kKinds[static_cast<unsigned char>(one)] & kind) != 0;
}

// Is each of the eight bytes at `at` above `least - 1` and below DEL? One of them that is not sets
// its highest bit in one of the three terms; what it carries or borrows changes only those above.
bool are_plain(const char* at, std::uint64_t least) {
    constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, sizeof eight);
    return (((eight - least * kOnes) | eight | (eight + kOnes)) & (kOnes << 7U)) == 0;
}

// `wanted` is in lower case, letters and hyphens: no other token differs from it in that bit only.
bool is_word(std::string_view text, std::string_view wanted) {
    if (text.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((text[i] | ' ') != wanted[i]) return false;
    }
    return true;
}

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char one) { return one == ' ' || one == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

bool lists(std::string_view list, std::string_view wanted) {
    for (;;) {
        const auto comma = list.find(',');
        if (is_word(trimmed(list.substr(0, comma)), wanted)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

bool is_authority(std::string_view host) {
    return std::ranges::all_of(host, [](char one) { return is_of(one, kAuthority); });
}

// A path, or the whole URI that a proxy would be sent (RFC 9112, 3.2).
bool is_of_page(std::string_view target) {
    return target.front() == '/' || target.find("://") != std::string_view::npos;
}

struct Known {
    std::string_view name;
    HttpMethod method;
};

constexpr std::array kMethods{
    Known{"GET", HttpMethod::get},         Known{"HEAD", HttpMethod::head},
    Known{"POST", HttpMethod::other},      Known{"PUT", HttpMethod::other},
    Known{"DELETE", HttpMethod::other},    Known{"OPTIONS", HttpMethod::other},
    Known{"TRACE", HttpMethod::other},     Known{"PATCH", HttpMethod::other},
    Known{"CONNECT", HttpMethod::connect},
};

}  // namespace

// ── The bytes of a head, from where a line begins ────────────────────────────────────────────

class HttpScanner::Cursor {
public:
    Cursor(std::string_view head, std::size_t at)
        : begin_(head.data()), at_(begin_ + at), end_(begin_ + head.size()) {}

    bool is_at_end() const { return at_ == end_; }
    char front() const { return *at_; }
    void skip() { ++at_; }
    std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }

    [[gnu::always_inline]] std::string_view take(Kind kind) {
        const char* const first = at_;
        if (kind != kToken) {
            const unsigned least = kind == kText ? ' ' : ' ' + 1;
            while (end_ - at_ >= 8 && are_plain(at_, least)) at_ += 8;
        }
        while (at_ != end_ && is_of(*at_, kind)) ++at_;
        return {first, at_};
    }
    template <std::size_t N>
    bool skip_over(const char (&text)[N]) {
        constexpr std::size_t kSize = N - 1;
        const bool is_there =
            static_cast<std::size_t>(end_ - at_) >= kSize && std::memcmp(at_, text, kSize) == 0;
        if (is_there) at_ += kSize;
        return is_there;
    }
    Line take_line_end() {
        if (at_ == end_) return Line::cut;
        if (*at_ != '\r') return Line::refused;
        if (end_ - at_ < 2) return Line::cut;
        if (at_[1] != '\n') return Line::refused;
        at_ += 2;
        return Line::read;
    }

private:
    const char* begin_;
    const char* at_;
    const char* end_;
};

// A head that comes byte by byte is looked at when a line may have ended, and not for each byte.
Scanned HttpScanner::scan(std::string_view input) {
    const std::string_view head = input.substr(0, kHeadMax);
    const bool is_whole = input.size() >= kHeadMax;
    const bool has_line = seen_ == 0 || head.find('\n', std::min(seen_, head.size())) != head.npos;
    seen_ = head.size();
    if (!has_line && !is_whole) return Scanned::incomplete;
    Cursor cursor(head, line_);
    Line line = Line::read;
    while (line == Line::read) {
        line_ = cursor.position();
        line = read_line(cursor);
    }
    if (line == Line::cut && is_whole) line = refuse(has_method_ ? 431 : 414);
    request_.head_size = cursor.position();
    if (line == Line::cut) return Scanned::incomplete;
    return line == Line::last ? Scanned::complete : Scanned::refused;
}

// One empty line before a request is skipped, as RFC 9112, 2.2 asks for.
HttpScanner::Line HttpScanner::read_line(Cursor& cursor) {
    if (cursor.is_at_end()) return Line::cut;
    if (cursor.front() == '\r') {
        const Line end = cursor.take_line_end();
        if (end == Line::refused) return refuse(400);
        if (end == Line::cut) return end;
        if (has_method_) return end_head();
        return line_ == 0 ? Line::read : refuse(400);
    }
    return has_method_ ? read_field(cursor) : read_request_line(cursor);
}

// What nearly everybody sends takes two comparisons, around the target.
bool HttpScanner::read_usual_line(Cursor& cursor) {
    Cursor usual = cursor;
    if (!usual.skip_over("GET /")) return false;
    usual.take(kVisible);
    if (!usual.skip_over(" HTTP/1.1\r\n")) return false;
    cursor = usual;
    has_method_ = true;
    return true;
}

HttpScanner::Line HttpScanner::read_request_line(Cursor& cursor) {
    if (read_usual_line(cursor)) [[likely]]
        return Line::read;
    const std::string_view method = cursor.take(kToken);
    if (cursor.is_at_end()) return Line::cut;
    if (method.empty() || cursor.front() != ' ') return refuse(400);
    cursor.skip();
    const std::string_view target = cursor.take(kVisible);
    if (cursor.is_at_end()) return Line::cut;
    if (target.empty() || cursor.front() != ' ') return refuse(400);
    cursor.skip();
    const std::string_view version = cursor.take(kVisible);
    const Line end = cursor.take_line_end();
    if (end == Line::refused) return refuse(400);
    if (end == Line::cut) return end;
    if (const Line read = read_version(version); read == Line::refused) return read;
    const auto* const known = std::ranges::find(kMethods, method, &Known::name);
    if (known == kMethods.end()) return refuse(501);
    request_.method = known->method;
    const bool asks_for_page = known->method <= HttpMethod::head;
    if (asks_for_page && !is_of_page(target)) return refuse(400);
    has_method_ = true;
    return Line::read;
}

// A later minor version of ours is read as the latest we know (RFC 9110, 2.5).
HttpScanner::Line HttpScanner::read_version(std::string_view version) {
    if (version == "HTTP/1.1") return Line::read;
    const auto is_digit = [](char one) { return one >= '0' && one <= '9'; };
    const bool is_version = version.size() == 8 && version.starts_with("HTTP/") &&
                            is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
    if (!is_version) return refuse(400);
    if (version[5] != '1') return refuse(505);
    request_.is_old = version[7] == '0';
    return Line::read;
}

// A line that continues the one before begins with a space, which is no name: refused.
HttpScanner::Line HttpScanner::read_field(Cursor& cursor) {
    const std::string_view name = cursor.take(kToken);
    if (cursor.is_at_end()) return Line::cut;
    if (name.empty() || cursor.front() != ':') return refuse(400);
    cursor.skip();
    const std::string_view value = cursor.take(kText);
    const Line end = cursor.take_line_end();
    if (end == Line::refused) return refuse(400);
    return end == Line::cut ? end : take_field(name, value);
}

// ── What the fields say ──────────────────────────────────────────────────────────────────────

HttpScanner::Line HttpScanner::take_field(std::string_view name, std::string_view value) {
    switch (name.size()) {
        case 4:
            if (!is_word(name, "host")) break;
            return hosts_++ == 0 && is_authority(trimmed(value)) ? Line::read : refuse(400);
        case 6: expects_ = expects_ || is_word(name, "expect"); break;
        case 10: return is_word(name, "connection") ? take_connection(value) : Line::read;
        case 14: return is_word(name, "content-length") ? take_length(trimmed(value)) : Line::read;
        case 17:
            return is_word(name, "transfer-encoding") ? take_coding(trimmed(value)) : Line::read;
        default: break;
    }
    return Line::read;
}

HttpScanner::Line HttpScanner::take_connection(std::string_view value) {
    says_close_ = says_close_ || lists(value, "close");
    says_keep_alive_ = says_keep_alive_ || lists(value, "keep-alive");
    return Line::read;
}

HttpScanner::Line HttpScanner::take_length(std::string_view value) {
    constexpr std::size_t kDigitsMax = 18;
    const bool is_number = !value.empty() && std::ranges::all_of(value, [](char one) {
        return one >= '0' && one <= '9';
    });
    if (!is_number || has_length_) return refuse(400);
    if (value.size() > kDigitsMax) return refuse(413);
    has_length_ = true;
    for (const char digit : value) {
        request_.body_size = request_.body_size * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return Line::read;
}

// Judged at the end of the head, when it is known what else it says about its body.
HttpScanner::Line HttpScanner::take_coding(std::string_view value) {
    constexpr int kLengthRequired = 411;
    constexpr int kNotImplemented = 501;
    const bool is_plain = is_word(value, "chunked") && coding_refusal_ == 0;
    coding_refusal_ = is_plain ? kLengthRequired : kNotImplemented;
    return Line::read;
}

// Two lengths, or a coding that HTTP/1.0 does not know, are how requests are smuggled past a
// proxy (RFC 9112, 6.1). Who waits for "100 Continue" gets the answer instead, and then nobody
// knows whether the body is still sent: such a connection is not read on.
HttpScanner::Line HttpScanner::end_head() {
    if (!request_.is_old && hosts_ == 0) return refuse(400);
    if (coding_refusal_ != 0) {
        return refuse(has_length_ || request_.is_old ? 400 : coding_refusal_);
    }
    const bool is_wanted = request_.is_old ? says_keep_alive_ : true;
    const bool is_framed =
        request_.method != HttpMethod::connect && !(expects_ && request_.body_size > 0);
    request_.keep_alive = is_wanted && !says_close_ && is_framed;
    return Line::last;
}

HttpScanner::Line HttpScanner::refuse(int status) {
    refusal_ = status;
    return Line::refused;
}

}  // namespace berth::app
