// SPDX-License-Identifier: MIT
//
// read_request over any bytes: it never reads past them, and what it says can be acted on.
//
// A head that is complete is read the same whatever follows it, and no part of one is anything but
// incomplete or refused: so a server may look as often as it likes.

#include "fuzz.hpp"
#include "observe/http_request.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace berth::fuzz {

namespace {

using observe::HttpRequest;
using observe::read_request;
using observe::Reading;

bool is_part_of(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void expect_complete(const HttpRequest& request, std::string_view text) {
    const std::string_view head = text.substr(0, request.size);
    expect(head.ends_with("\r\n\r\n"), "a request ends with an empty line");
    expect(is_part_of(request.method, head) && !request.method.empty(), "its method is in it");
    expect(!request.path.empty() && request.path.front() == '/', "its path is one");
    expect(std::ranges::none_of(request.path, [](char one) { return one <= ' ' || one == '?'; }),
           "a path has neither spaces nor a query");
}

void expect_the_same(const HttpRequest& a, const HttpRequest& b) {
    expect(a.reading == b.reading && a.size == b.size && a.method == b.method && a.path == b.path &&
               a.keep_alive == b.keep_alive,
           "what follows a request does not change it");
}

}  // namespace

void try_input(Bytes input) {
    const std::string_view text = as_text(input);
    const HttpRequest request = read_request(text);
    switch (request.reading) {
        case Reading::incomplete:
            return expect(text.size() < observe::kHeadMax + 2, "a head is bounded");
        case Reading::refused:
            expect(request.refusal >= 400 && request.refusal < 600, "a refusal has a status");
            return expect(!request.why.empty(), "and a reason");
        case Reading::complete: break;
    }
    expect_complete(request, text);
    const std::string alone(text.substr(0, request.size));
    expect_the_same(request, read_request(alone));
    expect(read_request(std::string_view(alone).substr(0, request.size - 1)).reading ==
               Reading::incomplete,
           "a byte less is not enough");
}

}  // namespace berth::fuzz
