// SPDX-License-Identifier: MIT
//
// netlink, sock_diag: what the kernel answers is read field by field, and nothing is trusted.
//
// Method: messages as the kernel would write them, and the same cut short at every byte.

#include "os/sock_diag.hpp"

#include "os/netlink.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace berth::os {
namespace {

// Bytes one after the other, each piece padded to four.
class Written {
public:
    template <class T>
    Written& add(const T& value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return pad();
    }
    Written& add_attribute(std::uint16_t type, std::string_view value) {
        add(nlattr{.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + value.size()),
                   .nla_type = type});
        bytes_ += value;
        return pad();
    }
    Written& add_message(std::uint16_t type, std::string_view payload) {
        nlmsghdr header{};
        header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
        header.nlmsg_type = type;
        add(header);
        bytes_ += payload;
        return pad();
    }
    Bytes bytes() const { return as_bytes(bytes_); }

private:
    Written& pad() {
        bytes_.resize((bytes_.size() + 3) / 4 * 4);
        return *this;
    }

    std::string bytes_;
};

template <class T>
std::string_view text_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

inet_diag_msg listener_on_loopback() {
    inet_diag_msg fields{};
    fields.idiag_family = AF_INET;
    fields.idiag_state = TCP_LISTEN;
    fields.id.idiag_sport = htons(9000);
    fields.id.idiag_src[0] = htonl(INADDR_LOOPBACK);
    fields.idiag_rqueue = 3;
    fields.idiag_wqueue = 128;
    fields.idiag_uid = 33;
    fields.idiag_inode = 4711;
    return fields;
}

// ── Netlink ──────────────────────────────────────────────────────────────────────────────────

TEST(Netlink, TakesMessagesWithTheirPadding) {
    const Written written = Written{}.add_message(7, "abcde").add_message(8, "");
    Bytes rest = written.bytes();
    const auto first = take_message(rest);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->type, 7);
    EXPECT_EQ(as_text(first->payload), "abcde");
    EXPECT_EQ(take_message(rest)->type, 8);
    EXPECT_FALSE(take_message(rest));
    EXPECT_TRUE(rest.empty());
}

TEST(Netlink, TakesNoMessageWhoseLengthIsWrong) {
    for (const std::uint32_t length : {0U, 15U, 17U, 0xffffffffU}) {
        nlmsghdr header{};
        header.nlmsg_len = length;
        Bytes rest = as_bytes(text_of(header));
        EXPECT_FALSE(take_message(rest)) << length;
    }
}

TEST(Netlink, TakesAttributesWithoutTheFlagsOfTheirType) {
    const Written written = Written{}.add_attribute(NLA_F_NESTED | 5, "abc").add_attribute(6, "");
    Bytes rest = written.bytes();
    const auto first = take_attribute(rest);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->type, 5);
    EXPECT_EQ(as_text(first->value), "abc");
    EXPECT_EQ(take_attribute(rest)->type, 6);
    EXPECT_FALSE(take_attribute(rest));
}

TEST(Netlink, SaysWhatTheKernelRefuses) {
    const auto unknown_family = [] {
        inet_diag_req_v2 question{};
        question.sdiag_family = AF_MAX - 1;
        return Dump::begin(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, as_bytes(text_of(question)));
    };
    auto dump = unknown_family();
    ASSERT_TRUE(dump);
    EXPECT_NE(dump->next().errno_value(), 0);
    EXPECT_NE(Dump::begin(10'000, 0, {}).errno_value(), 0);
}

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────

TEST(SockDiag, ReadsARowOfIpv4) {
    const auto fields = listener_on_loopback();
    const auto row = parse_inet_row(as_bytes(text_of(fields)));
    ASSERT_TRUE(row);
    EXPECT_EQ(row->state, TCP_LISTEN);
    EXPECT_EQ(row->local, Endpoint::parse("tcp://127.0.0.1:9000")->ip());
    EXPECT_EQ(row->peer, IpEndpoint{});
    EXPECT_EQ(row->receive_queue, 3U);
    EXPECT_EQ(row->send_queue, 128U);
    EXPECT_EQ(row->uid, 33U);
    EXPECT_EQ(row->inode, 4711U);
    EXPECT_EQ(row->timer, Duration{});
}

TEST(SockDiag, ReadsARowOfIpv6WithItsTimerDeviceAndFamily) {
    auto fields = listener_on_loopback();
    fields.idiag_family = AF_INET6;
    fields.id.idiag_src[0] = 0;
    fields.id.idiag_if = 2;
    fields.idiag_timer = 3;
    fields.idiag_expires = 1500;
    const Written written =
        Written{}.add(fields).add_attribute(99, "?").add_attribute(INET_DIAG_SKV6ONLY, "\x01");
    const auto row = parse_inet_row(written.bytes());
    ASSERT_TRUE(row);
    EXPECT_EQ(row->local.family, 6);
    EXPECT_EQ(row->local.zone, 2U);
    EXPECT_EQ(row->timer, std::chrono::milliseconds{1500});
    EXPECT_TRUE(row->is_v6_only);
}

TEST(SockDiag, ShowsAMappedPeerAsIpv4) {
    auto fields = listener_on_loopback();
    fields.idiag_family = AF_INET6;
    fields.idiag_state = TCP_ESTABLISHED;
    fields.id.idiag_dport = htons(1234);
    fields.id.idiag_dst[2] = htonl(0xffff);
    fields.id.idiag_dst[3] = htonl(INADDR_LOOPBACK);
    const auto row = parse_inet_row(as_bytes(text_of(fields)));
    ASSERT_TRUE(row);
    EXPECT_EQ(row->peer, Endpoint::parse("tcp://127.0.0.1:1234")->ip());
}

TEST(SockDiag, ReadsAUnixRow) {
    const unix_diag_msg fields{.udiag_family = AF_UNIX,
                               .udiag_type = SOCK_STREAM,
                               .udiag_state = TCP_LISTEN,
                               .pad = 0,
                               .udiag_ino = 17,
                               .udiag_cookie = {}};
    const unix_diag_vfs file{.udiag_vfs_ino = 23, .udiag_vfs_dev = (8U << 20U) | 3U};
    const std::uint32_t uid = 33;
    const Written written = Written{}
                                .add(fields)
                                .add_attribute(UNIX_DIAG_NAME, {"/run/a\0", 7})
                                .add_attribute(UNIX_DIAG_VFS, text_of(file))
                                .add_attribute(UNIX_DIAG_UID, text_of(uid));
    const auto row = parse_unix_row(written.bytes());
    ASSERT_TRUE(row);
    EXPECT_EQ(row->name, "/run/a");
    EXPECT_TRUE(row->is_listening);
    EXPECT_EQ(row->inode, 17U);
    EXPECT_EQ(row->uid, 33U);
    EXPECT_EQ(row->file_inode, 23U);
    EXPECT_EQ(row->file_device, makedev(8, 3));
}

TEST(SockDiag, ReadsAbstractNames) {
    unix_diag_msg fields{};
    fields.udiag_family = AF_UNIX;
    const Written written = Written{}.add(fields).add_attribute(UNIX_DIAG_NAME, {"\0name", 5});
    EXPECT_EQ(parse_unix_row(written.bytes())->name, "@name");
}

TEST(SockDiag, ReadsNothingFromOtherFamiliesAndShortMessages) {
    auto fields = listener_on_loopback();
    const Bytes whole = as_bytes(text_of(fields));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse_inet_row(whole.first(size)));
    }
    fields.idiag_family = AF_UNIX;
    EXPECT_FALSE(parse_inet_row(whole));
    fields.idiag_family = AF_INET;
    EXPECT_FALSE(parse_unix_row(whole));
    EXPECT_FALSE(parse_unix_row({}));
}

TEST(SockDiag, BearsAttributesThatAreCutShortAnywhere) {
    unix_diag_msg fields{};
    fields.udiag_family = AF_UNIX;
    const Written written = Written{}
                                .add(fields)
                                .add_attribute(UNIX_DIAG_NAME, std::string(200, 'x'))
                                .add_attribute(UNIX_DIAG_VFS, "12")
                                .add_attribute(UNIX_DIAG_UID, "1");
    for (std::size_t size = sizeof fields; size <= written.bytes().size(); ++size) {
        EXPECT_TRUE(parse_unix_row(written.bytes().first(size)));
    }
}

TEST(SockDiag, ReadsLinesOfProcNetUnix) {
    const auto row = parse_unix_line(
        "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/with space.sock");
    ASSERT_TRUE(row);
    EXPECT_EQ(row->name, "/run/with space.sock");
    EXPECT_TRUE(row->is_listening);
    EXPECT_EQ(row->type, SOCK_STREAM);
    EXPECT_EQ(row->inode, 12345U);
    EXPECT_FALSE(parse_unix_line("Num       RefCount Protocol Flags    Type St Inode Path"));
    EXPECT_FALSE(parse_unix_line("0000000000000000: 00000003 00000000 00000000 0001 03 22"));
    EXPECT_FALSE(parse_unix_line(""));
}

}  // namespace
}  // namespace berth::os
