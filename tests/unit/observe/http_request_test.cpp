// SPDX-License-Identifier: MIT
//
// read_request: what is a request, where it ends, and what is refused with which status.

#include "observe/http_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace berth::observe {
namespace {

constexpr std::string_view kGet = "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n";

std::string get_with(std::string_view field) {
    return "GET / HTTP/1.1\r\nHost: here\r\n" + std::string(field) + "\r\n\r\n";
}

int refusal(std::string_view input) {
    const HttpRequest request = read_request(input);
    EXPECT_EQ(request.reading, Reading::refused) << input;
    EXPECT_FALSE(request.why.empty());
    return request.refusal;
}

TEST(HttpRequest, HasMethodPathAndSize) {
    const HttpRequest request = read_request(kGet);
    ASSERT_EQ(request.reading, Reading::complete);
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.path, "/metrics");
    EXPECT_EQ(request.size, kGet.size());
    EXPECT_TRUE(request.keep_alive);
}

TEST(HttpRequest, EveryPartOfOneIsIncomplete) {
    for (std::size_t size = 0; size < kGet.size(); ++size) {
        EXPECT_EQ(read_request(kGet.substr(0, size)).reading, Reading::incomplete) << size;
    }
}

TEST(HttpRequest, EndsWhereThePipelinedOneBegins) {
    const std::string two = std::string(kGet) + "HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    const HttpRequest first = read_request(two);
    EXPECT_EQ(first.size, kGet.size());
    const HttpRequest second = read_request(std::string_view(two).substr(first.size));
    EXPECT_EQ(second.method, "HEAD");
    EXPECT_EQ(second.path, "/livez");
}

TEST(HttpRequest, EmptyLineBeforeItIsSkipped) {
    const std::string input = "\r\n" + std::string(kGet);
    const HttpRequest request = read_request(input);
    EXPECT_EQ(request.reading, Reading::complete);
    EXPECT_EQ(request.size, input.size());
}

TEST(HttpRequest, QueryAndAbsoluteFormLeaveThePath) {
    const auto path = [](std::string_view target) {
        const std::string input = "GET " + std::string(target) + " HTTP/1.1\r\nHost: here\r\n\r\n";
        const HttpRequest request = read_request(input);
        EXPECT_EQ(request.reading, Reading::complete) << target;
        return std::string(request.path);
    };
    EXPECT_EQ(path("/state?pretty=1"), "/state");
    EXPECT_EQ(path("http://somebody/state?x"), "/state");
    EXPECT_EQ(path("HTTP://somebody"), "/");
    EXPECT_EQ(path("http://somebody?x"), "/");
}

TEST(HttpRequest, ConnectionIsKeptUnlessSomebodySaysClose) {
    EXPECT_TRUE(read_request(get_with("Connection: keep-alive")).keep_alive);
    EXPECT_FALSE(read_request(get_with("connection: foo , CLOSE")).keep_alive);
    EXPECT_FALSE(read_request("GET / HTTP/1.0\r\n\r\n").keep_alive);
}

TEST(HttpRequest, OldVersionNeedsNoHost) {
    EXPECT_EQ(read_request("GET / HTTP/1.0\r\n\r\n").reading, Reading::complete);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(refusal(get_with("Host: there")), 400) << "two of them";
}

TEST(HttpRequest, OtherVersionsAreRefusedByName) {
    EXPECT_EQ(refusal("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
    EXPECT_EQ(refusal("GET / http/1.1\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET /\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET / HTTP/1.1 \r\nHost: x\r\n\r\n"), 400);
}

TEST(HttpRequest, BodiesAreRefused) {
    EXPECT_EQ(read_request(get_with("Content-Length: 0")).reading, Reading::complete);
    EXPECT_EQ(refusal(get_with("Content-Length: 1")), 400);
    EXPECT_EQ(refusal(get_with("content-length: 00x")), 400);
    EXPECT_EQ(refusal(get_with("Transfer-Encoding: chunked")), 400);
}

TEST(HttpRequest, BadLinesAreRefused) {
    EXPECT_EQ(refusal("\x16\x03\x01 hello\r\n\r\n"), 400) << "TLS to a plain port";
    EXPECT_EQ(refusal("GET metrics HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(refusal("G,T / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(refusal(get_with("no colon")), 400);
    EXPECT_EQ(refusal(get_with("name : before the colon")), 400);
    EXPECT_EQ(refusal(get_with(" folded: line")), 400);
    EXPECT_EQ(refusal(get_with(std::string_view("x: \0", 4))), 400);
    EXPECT_EQ(refusal(get_with("x: a\nb: c")), 400);
}

TEST(HttpRequest, HeadIsBounded) {
    const std::string fits = get_with("x: " + std::string(kHeadMax - 40, 'a'));
    ASSERT_LE(fits.size(), kHeadMax);
    EXPECT_EQ(read_request(fits).reading, Reading::complete);
    EXPECT_EQ(refusal(get_with("x: " + std::string(kHeadMax, 'a'))), 431);
    EXPECT_EQ(refusal(std::string(kHeadMax, 'a')), 431);
    EXPECT_EQ(read_request(std::string(kHeadMax - 1, 'a')).reading, Reading::incomplete);
}

}  // namespace
}  // namespace berth::observe
