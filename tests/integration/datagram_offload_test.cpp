// SPDX-License-Identifier: MIT
//
// Offloads of datagrams: many that leave as one, many that come as one. No handler notices.

#include "integration/support_engine.hpp"
#include "support/raw_datagram.hpp"

#include <berth/datagram.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <vector>

namespace berth::test {
namespace {

constexpr int kSegment = 103;  // UDP_SEGMENT, linux/udp.h
constexpr int kMerge = 104;    // UDP_GRO

bool kernel_has(int option) {
    const RawDatagramSocket probe(*Endpoint::parse("udp://127.0.0.1:0"));
    const int zero = 0;
    return ::setsockopt(probe.descriptor(), IPPROTO_UDP, option, &zero, sizeof zero) == 0;
}

class DatagramOffloads : public AnEngine {
protected:
    Endpoint to() { return reachable(engine().endpoints().at(0)); }
    RawDatagramSocket client() { return RawDatagramSocket(to()); }
    // One of `size` bytes for each letter, by one callback.
    void answer_in_letters(std::size_t size, const std::string& letters) {
        script.datagram = [size, letters](Datagram& datagram) {
            for (const char letter : letters) datagram.reply(std::string(size, letter));
        };
    }
    std::string letters_read(RawDatagramSocket& peer, std::size_t count) {
        std::string letters;
        for (std::size_t number = 0; number < count; ++number) letters += peer.read().bytes[0];
        return letters;
    }
    std::uint64_t sent_as_one() { return engine().snapshot().datagrams.gso_sent; }
    std::uint64_t came_as_one() { return engine().snapshot().datagrams.gro_received; }
};

TEST_P(DatagramOffloads, EqualOnesToOnePeerLeaveAsOne) {
    if (!kernel_has(kSegment)) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
    answer_in_letters(1000, "abcdefgh");
    start("udp4://:0");  // an answer names its source, too
    RawDatagramSocket peer = client();
    peer.send_to(to(), "letters, please");
    EXPECT_EQ(letters_read(peer, 8), "abcdefgh");
    EXPECT_TRUE(eventually([&] { return sent_as_one() == 8; }));
    EXPECT_EQ(engine().snapshot().datagrams.sent, 8U);
    EXPECT_EQ(engine().snapshot().datagrams.bytes_sent, 8000U);
}

TEST_P(DatagramOffloads, AShorterOneIsTheLastOfItsMessage) {
    if (!kernel_has(kSegment)) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
    const std::vector<std::size_t> sizes{500, 500, 20, 500, 500, 0, 1, 2, 2000, 2000};
    script.datagram = [&](Datagram& datagram) {
        for (const std::size_t size : sizes) datagram.reply(pattern(size));
    };
    start("udp://127.0.0.1:0");
    RawDatagramSocket peer = client();
    peer.send_to(to(), "sizes, please");
    for (const std::size_t size : sizes) EXPECT_EQ(peer.read().bytes, pattern(size));
    EXPECT_TRUE(eventually([&] { return sent_as_one() == 5; }));  // longer ones do not fit a frame
    settle();
}

TEST_P(DatagramOffloads, ManyLeaveInSeveralMessages) {
    std::string letters;
    for (int number = 0; number < 150; ++number) letters += static_cast<char>('a' + number % 26);
    answer_in_letters(100, letters);
    start("udp://127.0.0.1:0");
    RawDatagramSocket peer = client();
    peer.send_to(to(), "letters, please");
    EXPECT_EQ(letters_read(peer, letters.size()), letters);
}

TEST_P(DatagramOffloads, AreLeftOutWhereTheyAreSwitchedOff) {
    options.datagrams.gso = false;
    answer_in_letters(1000, "abcd");
    start("udp://127.0.0.1:0");
    RawDatagramSocket peer = client();
    peer.send_to(to(), "letters, please");
    EXPECT_EQ(letters_read(peer, 4), "abcd");
    settle();
    EXPECT_EQ(sent_as_one(), 0U);
}

TEST_P(DatagramOffloads, ToNobodyLoseNothingElse) {
    script.datagram = [](Datagram& datagram) {
        const Endpoint nowhere = *Endpoint::parse("udp://255.255.255.255:9");  // not allowed
        for (int round = 0; round < 3; ++round) datagram.loop().send_to(0, nowhere, "lost");
        for (int round = 0; round < 3; ++round) datagram.reply("here");
    };
    start("udp://127.0.0.1:0");
    RawDatagramSocket peer = client();
    peer.send_to(to(), "hello");
    for (int round = 0; round < 3; ++round) EXPECT_EQ(peer.read().bytes, "here");
    EXPECT_TRUE(eventually([&] { return engine().snapshot().datagrams.refused == 3; }));
}

// Loopback passes on what left as one as it is.
TEST_P(DatagramOffloads, ThoseThatComeAsOneAreTakenApart) {
    if (!kernel_has(kSegment) || !kernel_has(kMerge)) GTEST_SKIP() << "this kernel has no UDP_GRO";
    options.datagrams.gro = true;
    options.datagram_max = 300;
    script.datagram = [](Datagram& datagram) {
        datagram.reply(std::to_string(datagram.payload().size()) +
                       (datagram.is_truncated() ? " cut" : ""));
    };
    start("udp4://:0");
    RawDatagramSocket peer = client();
    peer.send_to(to(), "single");
    EXPECT_EQ(peer.read().bytes, "6");
    peer.send_to(to(), "");
    EXPECT_EQ(peer.read().bytes, "0");
    const int segment = 250;
    ASSERT_EQ(::setsockopt(peer.descriptor(), IPPROTO_UDP, kSegment, &segment, sizeof segment), 0);
    peer.send_to(to(), pattern(610));
    for (const char* size : {"250", "250", "110"}) EXPECT_EQ(peer.read().bytes, size);
    EXPECT_TRUE(eventually([&] { return came_as_one() == 3; }));
    const int longer = 400;
    ASSERT_EQ(::setsockopt(peer.descriptor(), IPPROTO_UDP, kSegment, &longer, sizeof longer), 0);
    peer.send_to(to(), pattern(410));
    for (const char* size : {"300 cut", "10"}) EXPECT_EQ(peer.read().bytes, size);
    EXPECT_EQ(engine().snapshot().datagrams.truncated, 1U);
}

TEST_P(DatagramOffloads, CarrySessionsToo) {
    options.datagrams = {.sessions = true, .gro = true};
    script.traffic = echo;
    start("udp://127.0.0.1:0");
    RawDatagramSocket peer = client();
    for (char letter = 'a'; letter < 'k'; ++letter) peer.send_to(to(), std::string(600, letter));
    EXPECT_EQ(letters_read(peer, 10), "abcdefghij");
}

BERTH_FOR_EACH_DRIVER(DatagramOffloads);

}  // namespace
}  // namespace berth::test
