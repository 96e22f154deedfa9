// SPDX-License-Identifier: MIT
//
// HttpScanner: where requests end, in whatever pieces they come, and what is refused.

#include "http_scanner.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace berth::app;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: here:80\r\n\r\n";

std::string with(std::string_view field, std::string_view start = "GET / HTTP/1.1") {
    return std::string(start) + "\r\nHost: here\r\n" + std::string(field) + "\r\n\r\n";
}

HttpRequest request_of(std::string_view input) {
    HttpScanner scanner;
    EXPECT_EQ(scanner.scan(input), Scanned::complete) << input;
    return scanner.request();
}

int refusal_of(std::string_view input) {
    HttpScanner scanner;
    EXPECT_EQ(scanner.scan(input), Scanned::refused) << input;
    return scanner.refusal();
}

// What a server would see: the sizes of the requests, in the order in which they end.
std::vector<std::size_t> sizes_of(std::string_view stream, std::size_t piece) {
    std::vector<std::size_t> sizes;
    HttpScanner scanner;
    std::size_t begin = 0;
    for (std::size_t end = 0; end < stream.size();) {
        end = std::min(end + piece, stream.size());
        while (begin < end) {
            if (scanner.scan(stream.substr(begin, end - begin)) != Scanned::complete) break;
            sizes.push_back(scanner.request().head_size);
            begin += scanner.request().head_size;
            scanner = HttpScanner();
        }
    }
    return sizes;
}

TEST(HttpScanner, ReadsMethodVersionAndSize) {
    const HttpRequest request = request_of(kGet);
    EXPECT_EQ(request.method, HttpMethod::get);
    EXPECT_EQ(request.head_size, kGet.size());
    EXPECT_EQ(request.body_size, 0u);
    EXPECT_TRUE(request.keep_alive);
    EXPECT_FALSE(request.is_old);
    EXPECT_EQ(request_of(std::string(kGet) + "more").head_size, kGet.size());
}

TEST(HttpScanner, ReadsTheSameWhereverItIsSplit) {
    const std::string head =
        with("Connection: foo, close\r\nContent-Length: 12\r\nAccept-Language: en-GB,en;q=0.5",
             "\r\nHEAD /a/long/path?with=query HTTP/1.1");
    for (std::size_t split = 1; split < head.size(); ++split) {
        HttpScanner scanner;
        ASSERT_EQ(scanner.scan(std::string_view(head).substr(0, split)), Scanned::incomplete)
            << split;
        ASSERT_EQ(scanner.scan(head + "the body"), Scanned::complete) << split;
        const HttpRequest& request = scanner.request();
        EXPECT_EQ(request.method, HttpMethod::head);
        EXPECT_EQ(request.head_size, head.size());
        EXPECT_EQ(request.body_size, 12u);
        EXPECT_FALSE(request.keep_alive);
    }
}

TEST(HttpScanner, ReadsTheSameByteByByte) {
    const std::string head = with("Content-Length: 12");
    HttpScanner scanner;
    for (std::size_t size = 1; size < head.size(); ++size) {
        ASSERT_EQ(scanner.scan(std::string_view(head).substr(0, size)), Scanned::incomplete);
    }
    ASSERT_EQ(scanner.scan(head), Scanned::complete);
    EXPECT_EQ(scanner.request().body_size, 12u);
}

TEST(HttpScanner, RefusesTheSameWhereverItIsSplit) {
    const std::string head = with("Content-Length: 1\r\nContent-Length: 2");
    for (std::size_t split = 1; split < head.size(); ++split) {
        HttpScanner scanner;
        Scanned scanned = scanner.scan(std::string_view(head).substr(0, split));
        if (scanned == Scanned::incomplete) scanned = scanner.scan(head);
        ASSERT_EQ(scanned, Scanned::refused) << split;
        EXPECT_EQ(scanner.refusal(), 400);
    }
}

TEST(HttpScanner, FindsPipelinedRequestsInPiecesOfAnySize) {
    const std::string other = with("X-Long: " + std::string(100, 'x'), "POST /b HTTP/1.0");
    std::string stream;
    std::vector<std::size_t> expected;
    for (int i = 0; i < 5; ++i) {
        stream.append(kGet).append(other).append("\r\n").append(kGet);
        expected.insert(expected.end(), {kGet.size(), other.size(), kGet.size() + 2});
    }
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        ASSERT_EQ(sizes_of(stream, piece), expected) << piece;
    }
}

TEST(HttpScanner, KnowsWhoWantsTheConnectionKept) {
    EXPECT_TRUE(request_of(kGet).keep_alive);
    EXPECT_TRUE(request_of(with("Connection: keep-alive")).keep_alive);
    EXPECT_TRUE(request_of(with("Connection: closed")).keep_alive) << "another word";
    EXPECT_FALSE(request_of(with("connection: foo , CLOSE")).keep_alive);
    EXPECT_FALSE(request_of(with("Connection: x\r\nConnection: close")).keep_alive);
    const HttpRequest old = request_of("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(old.is_old);
    EXPECT_FALSE(old.keep_alive);
    EXPECT_TRUE(request_of(with("Connection: Keep-Alive", "GET / HTTP/1.0")).keep_alive);
    EXPECT_FALSE(request_of(with("Connection: keep-alive, close", "GET / HTTP/1.0")).keep_alive);
}

TEST(HttpScanner, ReadsMinorVersionsToComeAsTheLatest) {
    const HttpRequest request = request_of(with("", "GET / HTTP/1.7"));
    EXPECT_FALSE(request.is_old);
    EXPECT_TRUE(request.keep_alive);
    EXPECT_EQ(refusal_of(with("", "GET / HTTP/2.0")), 505);
    for (const char* version : {"HTTP/1.", "HTTP/11", "http/1.1", "HTTP/1.1x", "HTTP/1.1 ", "x"}) {
        EXPECT_EQ(refusal_of(with("", std::string("GET / ") + version)), 400) << version;
    }
}

TEST(HttpScanner, KnowsMethodsThatItDoesNotServe) {
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}) {
        EXPECT_EQ(request_of(with("", std::string(method) + " * HTTP/1.1")).method,
                  HttpMethod::other);
    }
    const HttpRequest connect = request_of(with("", "CONNECT there:443 HTTP/1.1"));
    EXPECT_EQ(connect.method, HttpMethod::connect);
    EXPECT_FALSE(connect.keep_alive) << "what follows may be anything";
    EXPECT_EQ(refusal_of(with("", "BREW / HTTP/1.1")), 501);
    EXPECT_EQ(refusal_of(with("", "get / HTTP/1.1")), 501) << "methods have a case";
}

TEST(HttpScanner, TakesPathsAndWholeUris) {
    EXPECT_EQ(request_of(with("", "GET http://here/x HTTP/1.1")).method, HttpMethod::get);
    EXPECT_EQ(refusal_of(with("", "GET x HTTP/1.1")), 400);
    EXPECT_EQ(refusal_of(with("", "GET  HTTP/1.1")), 400);
}

TEST(HttpScanner, TakesOneLengthInDigits) {
    EXPECT_EQ(request_of(with("content-LENGTH:  00042 ")).body_size, 42u);
    EXPECT_EQ(request_of(with("Content-Length: 0")).body_size, 0u);
    for (const char* length : {"", "+1", "-1", "1 2", "1,1", "0x1", "1;"}) {
        EXPECT_EQ(refusal_of(with(std::string("Content-Length: ") + length)), 400) << length;
    }
    EXPECT_EQ(refusal_of(with("Content-Length: 1\r\nContent-Length: 1")), 400);
    EXPECT_EQ(refusal_of(with("Content-Length: 1000000000000000000")), 413);
}

TEST(HttpScanner, RefusesBodiesOfAnotherKind) {
    EXPECT_EQ(refusal_of(with("Transfer-Encoding: chunked")), 411);
    EXPECT_EQ(refusal_of(with("transfer-encoding: CHUNKED")), 411);
    EXPECT_EQ(refusal_of(with("Transfer-Encoding: gzip, chunked")), 501);
    EXPECT_EQ(refusal_of(with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked")), 501);
    EXPECT_EQ(refusal_of(with("Transfer-Encoding: \x0b"
                              "chunked")),
              400);
}

TEST(HttpScanner, RefusesWhatTwoReadersMightFrameDifferently) {
    EXPECT_EQ(refusal_of(with("Transfer-Encoding: chunked\r\nContent-Length: 4")), 400);
    EXPECT_EQ(refusal_of(with("Content-Length: 4\r\nTransfer-Encoding: identity")), 400);
    EXPECT_EQ(refusal_of(with("Transfer-Encoding: chunked", "GET / HTTP/1.0")), 400);
    EXPECT_EQ(refusal_of(with("Content-Length : 4")), 400) << "a space before the colon";
    EXPECT_EQ(refusal_of(with("A: b\r\n Content-Length: 4")), 400) << "a line continued";
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\nHost: here\n\n"), 400) << "LF alone";
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: here\r\nA: b\nContent-Length: 4\r\n\r\n"), 400);
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: here\r\nA: b\rC: d\r\n\r\n"), 400) << "CR alone";
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n Host: here\r\n\r\n"), 400);
    EXPECT_EQ(refusal_of("\r\n\r\nGET / HTTP/1.1\r\nHost: here\r\n\r\n"), 400) << "two empty lines";
}

TEST(HttpScanner, DoesNotGoOnAfterAnExpectationWithABody) {
    EXPECT_FALSE(request_of(with("Expect: 100-continue\r\nContent-Length: 9")).keep_alive);
    EXPECT_TRUE(request_of(with("Expect: 100-continue")).keep_alive);
}

TEST(HttpScanner, WantsOneHost) {
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(refusal_of(with("Host: there")), 400) << "two of them";
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
    EXPECT_EQ(request_of("GET / HTTP/1.1\r\nHost: \r\n\r\n").method, HttpMethod::get);
    EXPECT_EQ(request_of("GET / HTTP/1.1\r\nHOST:\t[::1]:80\t\r\n\r\n").method, HttpMethod::get);
}

TEST(HttpScanner, RefusesWhatIsNoText) {
    EXPECT_EQ(refusal_of("\x16\x03\x01 hello\r\n\r\n"), 400) << "TLS to a plain port";
    EXPECT_EQ(refusal_of("GET /\r\n\r\n"), 400) << "HTTP/0.9";
    EXPECT_EQ(refusal_of(with(std::string_view("x: \0", 4))), 400);
    EXPECT_EQ(refusal_of(with("no colon")), 400);
    EXPECT_EQ(refusal_of(with(": no name")), 400);
    for (std::size_t place = 0; place < 20; ++place) {
        std::string value(20, 'v');
        value[place] = '\x7f';
        EXPECT_EQ(refusal_of(with("x: " + value)), 400) << place;
        value[place] = '\x1f';
        EXPECT_EQ(refusal_of(with("x: " + value)), 400) << place;
        value[place] = '\xe9';
        EXPECT_EQ(request_of(with("x: " + value)).method, HttpMethod::get) << "above ASCII";
        EXPECT_EQ(refusal_of(with("", "GET /" + value + " HTTP/1.1")), 400) << place;
    }
}

TEST(HttpScanner, BoundsTheHead) {
    const std::size_t rest = with("x: ").size();
    const std::string fits = with("x: " + std::string(HttpScanner::kHeadMax - rest, 'a'));
    ASSERT_EQ(fits.size(), HttpScanner::kHeadMax);
    EXPECT_EQ(request_of(fits + std::string(kGet)).head_size, fits.size());
    EXPECT_EQ(refusal_of(with("x: " + std::string(HttpScanner::kHeadMax, 'a'))), 431);
    EXPECT_EQ(refusal_of("GET /" + std::string(HttpScanner::kHeadMax, 'a')), 414);
    HttpScanner scanner;
    EXPECT_EQ(scanner.scan(fits.substr(0, fits.size() - 1)), Scanned::incomplete);
    EXPECT_EQ(scanner.scan(fits), Scanned::complete);
}

}  // namespace
