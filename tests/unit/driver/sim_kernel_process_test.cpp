// SPDX-License-Identifier: MIT
//
// SimProcess: descriptors, calls, and those who act between them.

#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace berth::driver::sim {
namespace {

TEST(SimProcess, DescriptorsAreTheLowestFreeNumbersFromThreeOn) {
    KernelScene scene;
    EXPECT_EQ(number(scene.tcp()), 3);
    EXPECT_EQ(number(scene.udp()), 4);
    EXPECT_EQ(number(scene.local()), 5);
    scene.process.close(Descriptor{4});
    scene.process.close(Descriptor{3});
    EXPECT_EQ(number(scene.process.open_nothing().value()), 3);
    EXPECT_EQ(number(scene.tcp()), 4);
    EXPECT_EQ(number(scene.tcp()), 6);
    EXPECT_EQ(scene.process.descriptors_open(), 4U);
    EXPECT_EQ(scene.kernel.owned_sockets(), 3U);
}

TEST(SimProcess, ClosedNumberAndOneThatIsNoSocketAreToldApart) {
    KernelScene scene;
    const auto nothing = scene.process.open_nothing().value();
    EXPECT_EQ(scene.send(nothing, "x"), ENOTSOCK);
    EXPECT_EQ(scene.process.accept(nothing).errno_value(), ENOTSOCK);
    scene.process.close(nothing);
    EXPECT_EQ(scene.send(nothing, "x"), EBADF);
    EXPECT_EQ(scene.send(Descriptor::none, "x"), EBADF);
    EXPECT_EQ(scene.send(Descriptor{0}, "x"), EBADF);
    EXPECT_EQ(scene.process.take_error(nothing), EBADF);
    scene.process.close(nothing);
    EXPECT_EQ(scene.process.descriptors_open(), 0U);
}

TEST(SimProcess, LimitComesBeforeEverythingElse) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto socket = scene.tcp();
    scene.process.limit_descriptors(5);
    EXPECT_EQ(scene.process.accept(listener).errno_value(), EMFILE);
    EXPECT_EQ(scene.process.accept(socket).errno_value(), EMFILE);
    EXPECT_EQ(scene.process.socket(Family::v4, Kind::stream).errno_value(), EMFILE);
    EXPECT_EQ(scene.process.open_nothing().errno_value(), EMFILE);
    EXPECT_EQ(scene.process.lock_directory_of("/a/b").errno_value(), EMFILE);
    scene.process.limit_descriptors(6);
    EXPECT_EQ(scene.process.accept(listener).errno_value(), EAGAIN);
}

TEST(SimProcess, OthersActBeforeEachCallButNotBeforeTheirOwn) {
    KernelScene scene;
    Process other{scene.kernel};
    const auto listener = scene.listener();
    int turns = 0;
    scene.kernel.on_call([&] {
        ++turns;
        const auto client = other.socket(Family::v4, Kind::stream).value();
        EXPECT_EQ(other.connect(client, scene.process.local_endpoint(listener, Scheme::tcp).value())
                      .errno_value(),
                  EINPROGRESS);
    });
    EXPECT_EQ(scene.process.accept(listener).errno_value(), 0);
    EXPECT_EQ(turns, 1);
}

TEST(SimProcess, CallsTakeTime) {
    KernelScene scene{{.call_max = 10us}};
    const Instant before = scene.kernel.now();
    for (int count = 0; count < 100; ++count) scene.tcp();
    EXPECT_GT(scene.kernel.now(), before + 100us);
    EXPECT_LE(scene.kernel.now(), before + 1000us);
}

}  // namespace
}  // namespace berth::driver::sim
