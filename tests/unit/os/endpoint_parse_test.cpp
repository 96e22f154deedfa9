// SPDX-License-Identifier: MIT
//
// Endpoint::parse: every form that is read, every mistake that is named.
//
// Method: two tables. A valid text gives the canonical text, which reads back as the same
// endpoint; an invalid one gives a position, a reason and a remedy.

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

namespace berth {
namespace {

using namespace std::string_view_literals;

struct Valid {
    std::string text;
    std::string canonical;
};

std::ostream& operator<<(std::ostream& out, const Valid& row) { return out << row.text; }

class EndpointText : public testing::TestWithParam<Valid> {};

TEST_P(EndpointText, ReadsToItsCanonicalForm) {
    const auto endpoint = Endpoint::parse(GetParam().text);
    ASSERT_TRUE(endpoint) << endpoint.error().to_string();
    EXPECT_EQ(endpoint->to_string(), GetParam().canonical);
}

TEST_P(EndpointText, CanonicalFormReadsBackAsTheSame) {
    const auto endpoint = Endpoint::parse(GetParam().text);
    const auto again = Endpoint::parse(GetParam().canonical);
    ASSERT_TRUE(endpoint && again);
    EXPECT_EQ(*again, *endpoint);
}

const Valid kValid[] = {
    {"tcp://127.0.0.1:9000", "tcp://127.0.0.1:9000"},
    {"tcp4://127.0.0.1:9000", "tcp4://127.0.0.1:9000"},
    {"udp://10.0.0.1:53", "udp://10.0.0.1:53"},
    {"udp4://10.0.0.1:53", "udp4://10.0.0.1:53"},
    {"tcp://[::1]:9000", "tcp://[::1]:9000"},
    {"tcp6://[::1]:9000", "tcp6://[::1]:9000"},
    {"udp6://[::1]:53", "udp6://[::1]:53"},
    {"tcp://[2001:DB8:0:0:0:0:0:1]:443", "tcp://[2001:db8::1]:443"},
    {"tcp://[::]:0", "tcp://[::]:0"},
    {"tcp://:9000", "tcp://[::]:9000"},
    {"tcp://*:9000", "tcp://[::]:9000"},
    {"tcp4://:9000", "tcp4://0.0.0.0:9000"},
    {"tcp4://*:9000", "tcp4://0.0.0.0:9000"},
    {"tcp6://:9000", "tcp6://[::]:9000"},
    {"udp://:53", "udp://[::]:53"},
    {"udp4://:53", "udp4://0.0.0.0:53"},
    {"udp6://*:53", "udp6://[::]:53"},
    {"tcp://0.0.0.0:1", "tcp://0.0.0.0:1"},
    {"tcp://localhost:8080", "tcp://127.0.0.1:8080"},
    {"tcp4://localhost:8080", "tcp4://127.0.0.1:8080"},
    {"tcp6://localhost:8080", "tcp6://[::1]:8080"},
    {"udp6://localhost:8080", "udp6://[::1]:8080"},
    {"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"},
    {"tcp://127.0.0.1:65535", "tcp://127.0.0.1:65535"},
    {"tcp://[::ffff:127.0.0.1]:80", "tcp://127.0.0.1:80"},
    {"tcp6://[fe80::1%lo]:9000", "tcp6://[fe80::1%lo]:9000"},
    {"tcp6://[fe80::1%1]:9000", "tcp6://[fe80::1%lo]:9000"},
    {"tcp6://[fe80::1%4000000000]:9000", "tcp6://[fe80::1%4000000000]:9000"},
    {"udp6://[ff02::1%lo]:9000", "udp6://[ff02::1%lo]:9000"},
    {"udp6://[ff02::1]:9000", "udp6://[ff02::1]:9000"},
    {"127.0.0.1:9000", "tcp://127.0.0.1:9000"},
    {"localhost:9000", "tcp://127.0.0.1:9000"},
    {"[::1]:9000", "tcp://[::1]:9000"},
    {":9000", "tcp://[::]:9000"},
    {"*:9000", "tcp://[::]:9000"},
    {"unix:///run/app.sock", "unix:///run/app.sock"},
    {"unix:/run/app.sock", "unix:///run/app.sock"},
    {"unix://relative.sock", "unix://relative.sock"},
    {"unix:relative.sock", "unix://relative.sock"},
    {"unix:@name", "unix:@name"},
    {"unix://@name", "unix:@name"},
    {"unix:./@file", "unix://./@file"},
    {"unix:@ends/with/slash/", "unix:@ends/with/slash/"},
    {"unix:////double", "unix:////double"},
    {"unix:/run/my app:1%2.sock", "unix:///run/my app:1%2.sock"},
    {"unix:/run/\xc3\xa4.sock", "unix:///run/\xc3\xa4.sock"},
    {"unixgram:/run/log.sock", "unixgram:///run/log.sock"},
    {"unixgram:@log", "unixgram:@log"},
    {"unixpacket:///run/packet.sock", "unixpacket:///run/packet.sock"},
    {"unix:" + std::string(107, 'x'), "unix://" + std::string(107, 'x')},
    {"unix:@" + std::string(106, 'x'), "unix:@" + std::string(106, 'x')},
};

INSTANTIATE_TEST_SUITE_P(Forms, EndpointText, testing::ValuesIn(kValid));

struct Invalid {
    std::string text;
    int position;
    std::string reason;
    std::string remedy;
};

std::ostream& operator<<(std::ostream& out, const Invalid& row) {
    return out << testing::PrintToString(row.text);
}

class EndpointMistake : public testing::TestWithParam<Invalid> {};

TEST_P(EndpointMistake, IsNamedWithPositionReasonAndRemedy) {
    const Invalid& row = GetParam();
    const auto endpoint = Endpoint::parse(row.text);
    ASSERT_FALSE(endpoint) << endpoint->to_string();
    const Error& error = endpoint.error();
    EXPECT_EQ(error.code(), ErrorCode::invalid_address);
    EXPECT_EQ(error.detail(), row.reason + " at position " + std::to_string(row.position));
    EXPECT_NE(error.remedy().find(row.remedy), std::string::npos) << error.remedy();
}

const Invalid kInvalid[] = {
    {"", 1, "the address is empty", "tcp://HOST:PORT"},
    {"howdy", 6, "no port", ":PORT"},
    {"9000", 1, "a port without a host", "write :9000"},
    {"tcp://9000", 7, "a port without a host", "write :9000"},
    {"tcp://", 7, "no host and no port", "tcp://HOST:PORT"},
    {"tcp:", 5, "no // after the scheme", "tcp://HOST:PORT"},
    {"tcp:9000", 5, "no // after the scheme", "tcp://HOST:PORT"},
    {"tcp:/127.0.0.1:80", 5, "no // after the scheme", "tcp://HOST:PORT"},
    {"http://127.0.0.1:80", 1, "unknown scheme \"http\"", "use tcp, tcp4"},
    {"TCP://127.0.0.1:80", 1, "unknown scheme \"TCP\"", "use tcp, tcp4"},
    {"://127.0.0.1:80", 1, "unknown scheme \"\"", "use tcp, tcp4"},
    {"tcp://127.0.0.1", 16, "no port", ":PORT"},
    {"tcp://127.0.0.1:", 17, "no port", ":PORT"},
    {"tcp://127.0.0.1/", 16, "no port", ":PORT"},
    {"tcp://127.0.0.1:/x", 17, "no port", ":PORT"},
    {"tcp://[::1]", 12, "no port", ":PORT"},
    {"tcp://[::1]/x", 12, "no port", ":PORT"},
    {"tcp://[::1]9000", 12, "no : after ]", "[ADDRESS]:PORT"},
    {"tcp://[::1", 7, "[ without ]", "[ADDRESS]:PORT"},
    {"tcp://::1:9000", 7, "an IPv6 address without brackets", "[ADDRESS]:PORT"},
    {"::1", 1, "an IPv6 address without brackets", "[ADDRESS]:PORT"},
    {"fe80::1%lo:9000", 1, "an IPv6 address without brackets", "[ADDRESS]:PORT"},
    {"tcp://localhost:8080/foo", 21, "a path after the port", "remove /foo"},
    {"tcp://:80x", 10, "not a digit of a port: \"80x\"", "0 to 65535"},
    {"tcp://:http", 8, "not a digit of a port: \"http\"", "0 to 65535"},
    {"tcp://:+80", 8, "not a digit of a port: \"+80\"", "0 to 65535"},
    {"tcp://:-1", 8, "not a digit of a port: \"-1\"", "0 to 65535"},
    {"tcp://:0x50", 9, "not a digit of a port: \"0x50\"", "0 to 65535"},
    {"tcp://localhost:80:81", 19, "not a digit of a port: \"80:81\"", "0 to 65535"},
    {"tcp://:65536", 8, "a port above 65535", "0 to 65535"},
    {"tcp://:99999999999999999999", 8, "a port above 65535", "0 to 65535"},
    {"tcp://:080", 8, "a port with a leading zero", "0 to 65535"},
    {"tcp4://[::1]:80", 9, "an IPv6 address after an IPv4 scheme", "tcp6://"},
    {"udp4://[::]:80", 9, "an IPv6 address after an IPv4 scheme", "tcp6://"},
    {"tcp6://127.0.0.1:80", 8, "an IPv4 address after an IPv6 scheme", "tcp4://"},
    {"tcp6://[::ffff:127.0.0.1]:80", 9, "an IPv4-mapped address", "tcp4://"},
    {"tcp://[127.0.0.1]:80", 8, "not an IPv6 address: \"127.0.0.1\"", "IPv4 takes none"},
    {"tcp://[]:80", 8, "not an IPv6 address: \"\"", "[::1]"},
    {"tcp://[::g]:80", 8, "not an IPv6 address: \"::g\"", "[::1]"},
    {"tcp://256.0.0.1:80", 7, "not an IPv4 address: \"256.0.0.1\"", "0 to 255"},
    {"tcp://127.0.0.01:80", 7, "not an IPv4 address: \"127.0.0.01\"", "leading zeros"},
    {"tcp://127.1:80", 7, "not an IPv4 address: \"127.1\"", "four numbers"},
    {"tcp://example.org:80", 7, "a host name, which is only for dialling: \"example.org\"",
     "IP address"},
    {"howdy:80", 1, "a host name, which is only for dialling: \"howdy\"", "localhost"},
    {"tcp://127.0.0.1%lo:80", 16, "a zone without an IPv6 address", "remove it"},
    {"tcp://[fe80::1]:80", 15, "a link-local address without a zone", "[fe80::1%eth0]"},
    {"tcp://[fe80::1%]:80", 16, "no interface \"\"", "ip link"},
    {"tcp://[fe80::1%none-such]:80", 16, "no interface \"none-such\"", "ip link"},
    {"tcp://[fe80::1%0]:80", 16, "no interface \"0\"", "ip link"},
    {"tcp://[fe80::1%4294967296]:80", 16, "no interface \"4294967296\"", "ip link"},
    {"tcp://[::1%lo]:80", 12, "a zone on an address that is not link-local", "remove %lo"},
    {" tcp://:80", 1, "unknown scheme \" tcp\"", "use tcp, tcp4"},
    {"tcp://:80 ", 10, "a space", "remove it"},
    {"tcp://127.0.0.1 :80", 16, "a space", "remove it"},
    {"tcp://:80\n", 10, R"(control character "\x0a")", "remove it"},
    {"unix:/run/a\tb", 12, R"(control character "\x09")", "remove it"},
    {std::string{"unix:/run/a\0b"sv}, 12, R"(control character "\x00")", "remove it"},
    {"unix:", 6, "no path", "unix:/PATH"},
    {"unix://", 8, "no path", "unix:/PATH"},
    {"unix:@", 6, "an abstract name without a name", "unix:@NAME"},
    {"unix:/run/", 10, "the path of a directory", "file name"},
    {"unix:" + std::string(108, 'x'), 113, "a Unix name of 108 bytes, more than the kernel's 107,",
     "shorter"},
    {"/run/app.sock", 1, "a Unix name where HOST:PORT belongs", "unix:/run/app.sock"},
    {"@name", 1, "a Unix name where HOST:PORT belongs", "unix:@name"},
    {"tcp:///run/app.sock", 7, "a Unix name where HOST:PORT belongs", "unix:/run/app.sock"},
};

INSTANTIATE_TEST_SUITE_P(Table, EndpointMistake, testing::ValuesIn(kInvalid));

TEST(EndpointError, ShowsTheWholeAddressOnOneLine) {
    const auto endpoint = Endpoint::parse("tcp://:80\n");
    ASSERT_FALSE(endpoint);
    EXPECT_STREQ(endpoint.error().operation(), "parse address");
    EXPECT_EQ(endpoint.error().address(), "tcp://:80\\x0a");
}

}  // namespace
}  // namespace berth
