// SPDX-License-Identifier: MIT
//
// Kernel facts: names of Unix sockets.

#include "kernel/scene.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace berth::kernel {
namespace {

struct UnixAddress {
    sockaddr_un address{};
    socklen_t size = 0;

    explicit UnixAddress(const std::string& name) {
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path, sizeof address.sun_path);
        if (name.starts_with('@')) address.sun_path[0] = '\0';
        const std::size_t end = name.starts_with('@') ? 0 : 1;
        size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + end);
    }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

OwnedDescriptor unix_socket(int type = SOCK_STREAM) { return open_socket(AF_UNIX, type); }

int bind_to_name(const OwnedDescriptor& socket, const std::string& name) {
    const UnixAddress address{name};
    return ::bind(socket.number(), address.get(), address.size) == 0 ? 0 : errno;
}

int connect_to(const std::string& name, int type = SOCK_STREAM) {
    const auto client = unix_socket(type);
    const UnixAddress address{name};
    return ::connect(client.number(), address.get(), address.size) == 0 ? 0 : errno;
}

std::string name_of(const OwnedDescriptor& socket) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    ::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size);
    return address.sun_path;
}

OwnedDescriptor listening_at(const std::string& name) {
    auto socket = unix_socket();
    EXPECT_EQ(bind_to_name(socket, name), 0);
    EXPECT_EQ(listen_on(socket), 0);
    return socket;
}

class UnixFact : public testing::Test {
protected:
    test::TempDir directory;
    std::string path = directory.file("a.sock");
};

// ── Paths ────────────────────────────────────────────────────────────────────────────────────

// To diagnosis: StaleUnixPath. berth looks for an owner before it unlinks.
TEST_F(UnixFact, AClosedSocketLeavesItsPathBehind) {
    listening_at(path).close();
    EXPECT_EQ(connect_to(path), ECONNREFUSED);
    EXPECT_EQ(bind_to_name(unix_socket(), path), EADDRINUSE);
}

// So the owner is asked for by the wrong type, which never enters a queue.
TEST_F(UnixFact, ALiveOwnerAnswersTheWrongTypeWithoutNoticing) {
    const auto at = listening_at(path);
    EXPECT_EQ(connect_to(path, SOCK_DGRAM), EPROTOTYPE);
    EXPECT_EQ(accept_now(at).second, EAGAIN);
}

// To diagnosis: PathConflict. What is no socket is never unlinked.
TEST_F(UnixFact, AFileInTheWayLooksLikeASocketInTheWay) {
    std::ofstream{path} << "precious";
    EXPECT_EQ(bind_to_name(unix_socket(), path), EADDRINUSE);
    EXPECT_EQ(connect_to(path), ECONNREFUSED);
    EXPECT_EQ(bind_to_name(unix_socket(), directory.path()), EADDRINUSE);
}

TEST_F(UnixFact, ASymbolicLinkIsNotFollowedByBindButByConnect) {
    const auto at = listening_at(directory.file("b.sock"));
    std::filesystem::create_symlink(directory.file("b.sock"), path);
    EXPECT_EQ(bind_to_name(unix_socket(), path), EADDRINUSE);
    EXPECT_EQ(connect_to(path), 0);
}

// A hand-over without a gap: means renamed.
TEST_F(UnixFact, RenameTakesAPathOverAtomically) {
    const auto old = listening_at(path);
    EXPECT_EQ(connect_to(path), 0);
    const auto successor = listening_at(directory.file("b.sock"));
    ASSERT_EQ(std::rename(directory.file("b.sock").c_str(), path.c_str()), 0);
    EXPECT_EQ(connect_to(path), 0);
    EXPECT_EQ(accept_now(old).second, 0) << "who was in the old queue is still served";
    EXPECT_EQ(accept_now(successor).second, 0);
    EXPECT_EQ(name_of(successor), directory.file("b.sock")) << "the name does not follow";
}

// So a Unix listener is quiesced by taking its name away: no filter is needed.
TEST_F(UnixFact, WithoutItsNameAListenerMeetsNobodyNew) {
    const auto at = listening_at(path);
    EXPECT_EQ(connect_to(path), 0);
    ASSERT_EQ(::unlink(path.c_str()), 0);
    EXPECT_EQ(connect_to(path), ENOENT);
    EXPECT_EQ(accept_now(at).second, 0);
    EXPECT_EQ(accept_now(at).second, EAGAIN);
}

TEST_F(UnixFact, CloseResetsTheQueueThereToo) {
    auto at = listening_at(path);
    const auto client = unix_socket();
    const UnixAddress address{path};
    ASSERT_EQ(::connect(client.number(), address.get(), address.size), 0);
    ASSERT_EQ(send_text(client, "request"), 7U);
    at.close();
    EXPECT_EQ(read_to_end(client).end, End::reset);
}

// So names are at most 107 bytes, and a terminator is not needed for the kernel.
TEST_F(UnixFact, APathFillsTheAddressToItsLastByte) {
    constexpr std::size_t kRoom = sizeof(sockaddr_un::sun_path);
    for (const std::size_t size : {kRoom - 1, kRoom}) {
        std::string name = directory.path();
        name += '/' + std::string(size - name.size() - 1, 'x');
        UnixAddress address{name};
        address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
        const auto socket = unix_socket();
        EXPECT_EQ(::bind(socket.number(), address.get(), address.size), 0) << size;
        EXPECT_TRUE(std::filesystem::is_socket(name)) << size;
    }
}

TEST_F(UnixFact, PermissionsAreThoseOfTheUmaskUntilTheyAreChanged) {
    const mode_t before = ::umask(0077);
    const auto at = listening_at(path);
    ::umask(before);
    struct stat facts{};
    ASSERT_EQ(::lstat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

// ── Abstract names ───────────────────────────────────────────────────────────────────────────

TEST_F(UnixFact, AnAbstractNameVanishesWithItsLastDescriptor) {
    const std::string name = '@' + path;
    auto first = unix_socket();
    ASSERT_EQ(bind_to_name(first, name), 0);
    OwnedDescriptor leaked{::dup(first.number())};
    first.close();
    EXPECT_EQ(bind_to_name(unix_socket(), name), EADDRINUSE);
    leaked.close();
    EXPECT_EQ(bind_to_name(unix_socket(), name), 0);
}

TEST_F(UnixFact, SeqpacketListensLikeAStream) {
    const auto at = unix_socket(SOCK_SEQPACKET);
    ASSERT_EQ(bind_to_name(at, path), 0);
    ASSERT_EQ(listen_on(at), 0);
    EXPECT_EQ(connect_to(path, SOCK_SEQPACKET), 0);
    EXPECT_EQ(accept_now(at).second, 0);
}

}  // namespace
}  // namespace berth::kernel
