// SPDX-License-Identifier: MIT
//
// NotifySocket: messages arrive whole, in order, and none blocks the sender.
//
// Method: the real kernel, and a receiver in a folder of its own.

#include "service/notify_socket.hpp"

#include "driver/descriptor.hpp"
#include "driver/kernel_system.hpp"
#include "support/notify_receiver.hpp"
#include "support/temp_dir.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace berth::service {
namespace {

NotifySocket socket_to(const std::string& name) {
    return {driver::kernel_system(), NotifySocket::parse(name).value()};
}

TEST(NotifySocket, KnowsPathsAndAbstractNamesOnly) {
    EXPECT_EQ(NotifySocket::parse("/run/notify"), Endpoint(Scheme::unix_datagram, "/run/notify"));
    EXPECT_EQ(NotifySocket::parse("@notify"), Endpoint(Scheme::unix_datagram, "@notify"));
    for (const char* name : {"", "/", "@", "notify", "vsock:2:1234", "unix:/run/x"}) {
        EXPECT_FALSE(NotifySocket::parse(name)) << name;
    }
    EXPECT_FALSE(NotifySocket::parse("/" + std::string(Endpoint::kUnixNameMax, 'x')));
}

TEST(NotifySocket, DeliversEachMessageAsItIs) {
    const test::TempDir folder;
    test::NotifyReceiver manager(folder.file("notify"));
    NotifySocket socket = socket_to(folder.file("notify"));
    socket.send("READY=1\nSTATUS=x");
    socket.send("STOPPING=1");
    EXPECT_EQ(manager.receive_now(), "READY=1\nSTATUS=x");
    EXPECT_EQ(manager.receive_now(), "STOPPING=1");
    EXPECT_EQ(socket.failure(), 0);
}

TEST(NotifySocket, SendsACopyOfADescriptor) {
    const test::TempDir folder;
    test::NotifyReceiver manager(folder.file("notify"));
    const auto attached = driver::kernel_system().open_reserve();
    socket_to(folder.file("notify")).send("FDSTORE=1", attached.value());
    EXPECT_EQ(manager.receive_now(), "FDSTORE=1");
    EXPECT_EQ(manager.descriptors_received(), 1u);
    driver::kernel_system().close(*attached);
}

TEST(NotifySocket, KeepsTheOrderForAManagerThatIsBusy) {
    const test::TempDir folder;
    test::NotifyReceiver manager(folder.file("notify"));
    NotifySocket socket = socket_to(folder.file("notify"));
    std::size_t sent = 0;
    while (socket.flush() && sent < 10'000) socket.send(std::to_string(sent++));
    for (std::size_t more = 0; more < 10; ++more) socket.send(std::to_string(sent++));
    for (std::size_t next = 0; next < sent; ++next) {
        ASSERT_EQ(manager.receive_now(), std::to_string(next));
        socket.flush();
    }
    EXPECT_TRUE(socket.flush());
}

TEST(NotifySocket, GoesOnWithoutAManager) {
    const test::TempDir folder;
    NotifySocket socket = socket_to(folder.file("nobody"));
    socket.send("READY=1");
    EXPECT_EQ(socket.failure(), ENOENT);
    EXPECT_TRUE(socket.flush()) << "nothing is kept";
}

}  // namespace
}  // namespace berth::service
