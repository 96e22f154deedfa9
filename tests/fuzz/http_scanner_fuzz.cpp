// SPDX-License-Identifier: MIT
//
// HttpScanner over any bytes: what it says depends on the bytes, and not on how they were cut.

#include "fuzz.hpp"
#include "http_scanner.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace berth::fuzz {

namespace {

using app::HttpRequest;
using app::HttpScanner;
using app::Scanned;

struct Verdict {
    Scanned scanned = Scanned::incomplete;
    HttpScanner scanner;
};

void expect_the_same(const Verdict& a, const Verdict& b) {
    expect(a.scanned == b.scanned, "a cut changes nothing");
    expect(a.scanner.refusal() == b.scanner.refusal(), "nor the reason of a refusal");
    if (a.scanned != Scanned::complete) return;
    const HttpRequest& one = a.scanner.request();
    const HttpRequest& other = b.scanner.request();
    expect(one.method == other.method && one.is_old == other.is_old &&
               one.keep_alive == other.keep_alive,
           "nor what is asked for");
    expect(one.head_size == other.head_size && one.body_size == other.body_size,
           "nor where the request ends");
}

// In pieces of that size, then all of it; a server stops at the first verdict.
Verdict scan_in_pieces(std::string_view text, std::size_t piece) {
    Verdict verdict;
    for (std::size_t end = 0; end < text.size() && verdict.scanned == Scanned::incomplete;) {
        end = std::min(end + piece, text.size());
        verdict.scanned = verdict.scanner.scan(text.substr(0, end));
    }
    return verdict;
}

void expect_complete(const Verdict& verdict, std::string_view text) {
    const HttpRequest& request = verdict.scanner.request();
    expect(request.head_size <= HttpScanner::kHeadMax, "a head is bounded");
    const std::string alone(text.substr(0, request.head_size));
    expect(alone.ends_with("\r\n\r\n"), "a head ends with an empty line");
    expect_the_same(verdict, scan_in_pieces(alone, alone.size()));
    const std::string_view less = std::string_view(alone).substr(0, alone.size() - 1);
    expect(scan_in_pieces(less, less.size()).scanned == Scanned::incomplete,
           "a byte less is not enough");
}

}  // namespace

void try_input(Bytes input) {
    const std::string text = std::string(as_text(input)) + '\n';  // a line is judged when it ends
    const Verdict whole = scan_in_pieces(text, text.size());
    for (std::size_t piece = 1; piece < text.size(); piece += 1 + piece / 2) {
        expect_the_same(whole, scan_in_pieces(text, piece));
    }
    switch (whole.scanned) {
        case Scanned::incomplete:
            return expect(text.size() < HttpScanner::kHeadMax, "a part of a head is bounded");
        case Scanned::refused:
            return expect(whole.scanner.refusal() >= 400 && whole.scanner.refusal() < 600,
                          "a refusal has a status");
        case Scanned::complete: return expect_complete(whole, text);
    }
}

}  // namespace berth::fuzz
