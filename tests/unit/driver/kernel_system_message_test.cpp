// SPDX-License-Identifier: MIT
//
// KernelSystem: messages keep their bounds, and descriptors travel with them.

#include "driver/descriptor.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"
#include "support/descriptors.hpp"
#include "unit/driver/kernel_system_scene.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth::driver {
namespace {

using os::OwnedDescriptor;
using test::of;
using test::parsed;

class RealMessages : public test::RealSystem {
protected:
    RealMessages() {
        const auto pair = system.message_pair();
        EXPECT_TRUE(pair);
        if (!pair) return;
        near = OwnedDescriptor{number(pair->first)};
        far = OwnedDescriptor{number(pair->second)};
    }
    Outcome<Message> receive(std::size_t room_size = 64) {
        room.resize(room_size);
        return system.receive_message(of(far), room);
    }
    std::string_view text(const Message& message) const {
        return as_text(Bytes{room}.first(message.size));
    }
    void close_attached(const Message& message) {
        for (const Descriptor descriptor : message.attached) system.close(descriptor);
    }

    OwnedDescriptor near{-1};
    OwnedDescriptor far{-1};
    std::vector<std::byte> room;
};

TEST_F(RealMessages, ArriveOneByOne) {
    ASSERT_TRUE(system.send_message(of(near), as_bytes("one"), {}));
    ASSERT_TRUE(system.send_message(of(near), as_bytes("two"), {}));
    EXPECT_EQ(text(*receive()), "one");
    EXPECT_EQ(text(*receive()), "two");
    EXPECT_EQ(receive().errno_value(), EAGAIN);
}

TEST_F(RealMessages, EndWithAnEmptyOne) {
    near = OwnedDescriptor{-1};
    const auto end = receive();
    ASSERT_TRUE(end);
    EXPECT_EQ(end->size, 0U);
    EXPECT_EQ(system.send_message(of(far), as_bytes("x"), {}).errno_value(), EPIPE);
}

TEST_F(RealMessages, BringDescriptorsThatNoProgramInherits) {
    const auto listener = listening(parsed("tcp://127.0.0.1:0"));
    const std::array attached{of(listener), of(near)};
    ASSERT_TRUE(system.send_message(of(near), as_bytes("two"), attached));
    const auto message = receive();
    ASSERT_TRUE(message);
    ASSERT_EQ(message->attached.size(), 2U);
    EXPECT_EQ(*system.inode(message->attached[0]), *system.inode(of(listener)));
    EXPECT_TRUE(::fcntl(number(message->attached[0]), F_GETFD) & FD_CLOEXEC);
    close_attached(*message);
}

TEST_F(RealMessages, BringAsManyDescriptorsAsTheyMay) {
    const std::vector<Descriptor> attached(System::kAttachedMax, of(near));
    ASSERT_TRUE(system.send_message(of(near), as_bytes("x"), attached));
    const auto message = receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->attached.size(), System::kAttachedMax);
    close_attached(*message);

    const std::vector<Descriptor> too_many(System::kAttachedMax + 1, of(near));
    EXPECT_EQ(system.send_message(of(near), as_bytes("x"), too_many).errno_value(), EINVAL);
}

TEST_F(RealMessages, AreRefusedWholeWhenTheyDoNotFit) {
    const auto before = system.descriptors_open();
    ASSERT_TRUE(system.send_message(of(near), as_bytes("too long"), std::array{of(near)}));
    EXPECT_EQ(receive(3).errno_value(), EMSGSIZE);
    EXPECT_EQ(system.descriptors_open(), before);
    EXPECT_EQ(receive().errno_value(), EAGAIN);
}

TEST_F(RealMessages, AreRefusedWholeWhenDescriptorsAreShort) {
    ASSERT_TRUE(system.send_message(of(near), as_bytes("x"), std::array{of(near), of(far)}));
    const auto before = test::open_descriptors();
    {
        const test::DescriptorFamine famine;
        EXPECT_EQ(receive().errno_value(), EMSGSIZE);
    }
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(RealMessages, SayWhenThereIsNoRoom) {
    const std::string block(32U << 10U, 'x');
    Outcome<void> sent;
    while (sent) sent = system.send_message(of(near), as_bytes(block), {});
    EXPECT_EQ(sent.errno_value(), EAGAIN);
}

TEST_F(RealMessages, TravelThroughAListenerOfPackets) {
    const Endpoint at{Scheme::unix_packet, path};
    const auto listener = listening(at);
    const auto client = open(at);
    ASSERT_TRUE(system.connect(of(client), at));
    const auto connection = accepted(listener);
    ASSERT_TRUE(system.send_message(of(client), as_bytes("hello"), {}));
    room.resize(64);
    EXPECT_EQ(text(*system.receive_message(of(connection), room)), "hello");
    const auto peer = system.peer_credentials(of(connection));
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->pid, system.process_id());
    EXPECT_EQ(peer->uid, system.user_id());
    EXPECT_EQ(peer->gid, ::getegid());
}

// ── Descriptors and paths ────────────────────────────────────────────────────────────────────

TEST_F(RealMessages, CopyADescriptorOfTheSameSocket) {
    const auto copy = system.duplicate(of(near));
    ASSERT_TRUE(copy);
    EXPECT_EQ(*system.inode(*copy), *system.inode(of(near)));
    EXPECT_NE(*system.inode(*copy), *system.inode(of(far)));
    EXPECT_TRUE(::fcntl(number(*copy), F_GETFD) & FD_CLOEXEC);
    system.close(*copy);
    EXPECT_EQ(system.duplicate(Descriptor::none).errno_value(), EBADF);
}

TEST_F(RealMessages, RenameASocketOverAnother) {
    const auto old = listening(at_path);
    const auto successor = listening(Endpoint{Scheme::unix_stream, directory.file("b.sock")});
    const auto before = *system.inspect(path);
    ASSERT_TRUE(system.rename(directory.file("b.sock"), path));
    EXPECT_NE(*system.inspect(path), before);
    const auto client = connected_to(at_path);
    EXPECT_EQ(system.accept(of(old)).errno_value(), EAGAIN);
    const auto connection = accepted(successor);
    EXPECT_EQ(system.rename(directory.file("c.sock"), path).errno_value(), ENOENT);
}

TEST_F(RealMessages, PermitAPathToItsOwnerAlone) {
    namespace fs = std::filesystem;
    const auto socket = bound(at_path);
    ASSERT_TRUE(system.permit(path, 0600));
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(RealMessages, KnowWhoSendsThem) {
    EXPECT_EQ(system.process_id(), ::getpid());
    EXPECT_EQ(system.thread_id(), ::gettid());
    EXPECT_EQ(system.user_id(), ::geteuid());
}

}  // namespace
}  // namespace berth::driver
