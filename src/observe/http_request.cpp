// SPDX-License-Identifier: MIT
//
// read_request: lines, tokens, and the few fields that matter.

#include "observe/http_request.hpp"

#include <algorithm>
#include <optional>

namespace berth::observe {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool is_token(char character) {
    const bool is_alphanumeric = (character >= '0' && character <= '9') ||
                                 (character >= 'A' && character <= 'Z') ||
                                 (character >= 'a' && character <= 'z');
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return is_alphanumeric || kOthers.find(character) != std::string_view::npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char one) { return is_token(one); });
}

// Neither a control nor a space; bytes above ASCII are let through in fields only.
bool is_target(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](char one) { return one > ' ' && one < '\x7f'; });
}

bool is_field_text(std::string_view text) {
    return std::ranges::all_of(text, [](char one) {
        return one == '\t' || (static_cast<unsigned char>(one) >= ' ' && one != '\x7f');
    });
}

char lower(char one) { return one >= 'A' && one <= 'Z' ? static_cast<char>(one + 32) : one; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// What stands before `separator`, which goes too; all of it where there is none.
std::string_view take_until(std::string_view& text, std::string_view separator) {
    const auto at = std::min(text.find(separator), text.size());
    const auto before = text.substr(0, at);
    text.remove_prefix(std::min(at + separator.size(), text.size()));
    return before;
}

bool lists(std::string_view list, std::string_view wanted) {
    while (!list.empty()) {
        if (equal_ignoring_case(trimmed(take_until(list, ",")), wanted)) return true;
    }
    return false;
}

// "GET http://somebody/metrics?x": the path alone. RFC 9112, 3.2.2: a server takes both forms.
std::optional<std::string_view> path_of(std::string_view target) {
    constexpr std::string_view kScheme = "http://";
    if (equal_ignoring_case(target.substr(0, kScheme.size()), kScheme)) {
        target.remove_prefix(kScheme.size());
        const auto slash = target.find_first_of("/?");
        if (slash == std::string_view::npos) return "/";
        target.remove_prefix(slash);
        if (target.front() == '?') return "/";
    }
    if (!target.starts_with('/')) return {};
    return target.substr(0, target.find('?'));
}

class HeadReader {
public:
    HttpRequest read(std::string_view head) {
        request_.reading = Reading::complete;
        read_request_line(take_until(head, kLineEnd));
        while (!head.empty() && is_well()) read_field(take_until(head, kLineEnd));
        if (is_well() && is_1_1_ && hosts_ != 1) refuse(400, "one Host field is needed");
        return request_;
    }

private:
    bool is_well() const { return request_.reading == Reading::complete; }

    void refuse(int status, std::string_view why) {
        request_.reading = Reading::refused;
        request_.refusal = status;
        request_.why = why;
    }

    void read_request_line(std::string_view line) {
        request_.method = take_until(line, " ");
        const std::string_view target = take_until(line, " ");
        if (!is_token(request_.method) || !is_target(target)) {
            return refuse(400, "the first line is not METHOD TARGET VERSION");
        }
        read_version(line);
        const auto path = path_of(target);
        if (is_well() && !path) return refuse(400, "the target is not a path");
        request_.path = path.value_or("");
    }

    void read_version(std::string_view version) {
        is_1_1_ = version == "HTTP/1.1";
        if (is_1_1_) return;
        request_.keep_alive = false;
        if (version == "HTTP/1.0") return;
        const bool is_another = version.size() == 8 && version.starts_with("HTTP/");
        if (is_another) return refuse(505, "HTTP/1.1 and HTTP/1.0 are spoken here");
        refuse(400, "the first line does not end with a version");
    }

    void read_field(std::string_view line) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
            !is_field_text(line.substr(colon))) {
            return refuse(400, "a line is not NAME: VALUE");
        }
        read_field(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }

    void read_field(std::string_view name, std::string_view value) {
        if (equal_ignoring_case(name, "host")) ++hosts_;
        if (equal_ignoring_case(name, "connection") && lists(value, "close")) {
            request_.keep_alive = false;
        }
        const bool has_body = equal_ignoring_case(name, "transfer-encoding") ||
                              (equal_ignoring_case(name, "content-length") && value != "0");
        if (has_body) refuse(400, "no body is taken here");
    }

    HttpRequest request_;
    bool is_1_1_ = false;
    int hosts_ = 0;
};

}  // namespace

// An empty line before a request is skipped, as RFC 9112, 2.2 asks for.
HttpRequest read_request(std::string_view input) {
    const std::size_t skipped = input.starts_with(kLineEnd) ? kLineEnd.size() : 0;
    const auto end = input.substr(0, skipped + kHeadMax).find(kHeadEnd, skipped);
    if (end == std::string_view::npos) {
        const bool is_too_long = input.size() >= skipped + kHeadMax;
        if (!is_too_long) return {};
        HttpRequest refused;
        refused.reading = Reading::refused;
        refused.refusal = 431;
        refused.why = "the head is too long";
        return refused;
    }
    HttpRequest request = HeadReader().read(input.substr(skipped, end - skipped));
    request.size = end + kHeadEnd.size();
    return request;
}

}  // namespace berth::observe
