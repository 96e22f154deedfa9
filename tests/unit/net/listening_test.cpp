// SPDX-License-Identifier: MIT
//
// Listening: sockets that come from elsewhere, shards that come later, options that are inherited.
//
// Opening and Unix paths are tested through the engine: tests/integration/listen_test.cpp.

#include "net/listening.hpp"

#include "driver/kernel_system.hpp"
#include "support/descriptors.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <berth/port.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace berth::net {
namespace {

using driver::Descriptor;
using test::OwnedDescriptor;

driver::System& kernel() { return driver::kernel_system(); }

Endpoint parsed(const std::string& text) { return Endpoint::parse(text).value(); }

Listening opened(const std::string& at, const ListenPlan& plan = {.backlog = 16}) {
    auto listening = Listening::open(kernel(), parsed(at), plan);
    EXPECT_TRUE(listening) << listening.error().to_string();
    return std::move(*listening);
}

// What another generation would send of it.
std::vector<Descriptor> copies_of(const Listening& listening) {
    std::vector<Descriptor> copies;
    for (std::size_t shard = 0; shard < listening.shard_count(); ++shard) {
        copies.push_back(kernel().duplicate(listening.descriptor(shard)).value());
    }
    return copies;
}

int option(int socket, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    EXPECT_EQ(::getsockopt(socket, level, name, &value, &length), 0);
    return value;
}

TEST(Listening, AdoptsTheShardsOfAnother) {
    const Listening before = opened("tcp://127.0.0.1:0", {.shards = 3, .backlog = 16});
    const auto after =
        Listening::adopt(kernel(), before.endpoint(), copies_of(before), {.backlog = 16});
    ASSERT_TRUE(after) << after.error().to_string();
    EXPECT_TRUE(after->is_inherited());
    EXPECT_FALSE(before.is_inherited());
    EXPECT_EQ(after->shard_count(), 3U);
    EXPECT_EQ(after->endpoint(), before.endpoint());
    EXPECT_EQ(after->inodes(), before.inodes());
}

TEST(Listening, RefusesASocketOfAnotherAddressAndClosesIt) {
    const Listening other = opened("tcp://127.0.0.1:0");
    const std::size_t before = test::open_descriptors();
    const auto adopted =
        Listening::adopt(kernel(), parsed("tcp://127.0.0.1:1"), copies_of(other), {.backlog = 16});
    ASSERT_FALSE(adopted);
    EXPECT_NE(adopted.error().to_string().find(other.endpoint().to_string()), std::string::npos)
        << adopted.error().to_string();
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST(Listening, RefusesASocketThatCannotListen) {
    const Listening listening = opened("tcp://127.0.0.1:0");
    const auto client = test::RawPeer::connect(listening.endpoint());
    const auto accepted = kernel().accept(listening.descriptor(0));
    ASSERT_TRUE(accepted);
    EXPECT_FALSE(
        Listening::adopt(kernel(), listening.endpoint(), {accepted->descriptor}, {.backlog = 16}));
}

TEST(Listening, ShardsJoinAnAdoptedSocketThatWasAlone) {
    const Listening before = opened("tcp://127.0.0.1:0");
    auto after = Listening::adopt(kernel(), before.endpoint(), copies_of(before), {.backlog = 16});
    ASSERT_TRUE(after);
    const auto added = after->add_shards({.shards = 4, .backlog = 16});
    ASSERT_TRUE(added) << added.error().to_string();
    EXPECT_EQ(after->shard_count(), 4U);
    EXPECT_EQ(after->inodes().size(), 4U);
    EXPECT_EQ(after->endpoint(), before.endpoint());
}

TEST(Listening, MoreShardsThanWantedAreKept) {
    const Listening before = opened("tcp://127.0.0.1:0", {.shards = 3, .backlog = 16});
    auto after = Listening::adopt(kernel(), before.endpoint(), copies_of(before), {.backlog = 16});
    ASSERT_TRUE(after);
    EXPECT_TRUE(after->add_shards({.shards = 1, .backlog = 16}));
    EXPECT_EQ(after->shard_count(), 3U);
}

TEST(Listening, PathOfAnAdoptedSocketGoesWithItsLastOwner) {
    const test::TempDir dir;
    const std::string path = dir.file("socket");
    {
        Listening before = opened("unix:" + path);
        before.share(true);  // the successor's from now on
        auto after =
            Listening::adopt(kernel(), before.endpoint(), copies_of(before), {.backlog = 16});
        ASSERT_TRUE(after);
        before.release_path();
        EXPECT_TRUE(std::filesystem::exists(path));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Listening, TakenSocketIsTheCallersAndItsNumberStaysKnown) {
    const std::size_t before = test::open_descriptors();
    OwnedDescriptor taken;
    {
        Listening listening = opened("tcp://127.0.0.1:0");
        taken = OwnedDescriptor{number(listening.take_socket(0))};
        EXPECT_EQ(number(listening.descriptor(0)), taken.number());
    }
    EXPECT_EQ(option(taken.number(), SOL_SOCKET, SO_ACCEPTCONN), 1);
    taken.close();
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST(Listening, WhoIsAcceptedInheritsTheBoundOnUnsentBytes) {
    const Listening listening =
        opened("tcp://127.0.0.1:0",
               {.backlog = 16, .settings = settings_of(Options{.not_sent_max = 12345})});
    const auto client = test::RawPeer::connect(listening.endpoint());
    const OwnedDescriptor accepted{
        number(kernel().accept(listening.descriptor(0)).value().descriptor)};
    EXPECT_EQ(option(accepted.number(), IPPROTO_TCP, TCP_NOTSENT_LOWAT), 12345);
    EXPECT_EQ(option(accepted.number(), IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST(Listening, RefusalNamesTheHolder) {
    const Listening holder = opened("tcp://127.0.0.1:0");
    const auto refused = Listening::open(kernel(), holder.endpoint(), {.backlog = 16});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::address_in_use);
    ASSERT_NE(refused.error().port(), nullptr);
    EXPECT_EQ(refused.error().port()->cause, PortCause::same_process);
}

}  // namespace
}  // namespace berth::net
