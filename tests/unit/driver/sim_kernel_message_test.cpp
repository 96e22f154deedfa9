// SPDX-License-Identifier: MIT
//
// SimMessage: descriptors that share a socket, and messages that carry them to another process.

#include "driver/sim/process.hpp"
#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <berth/bytes.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

namespace berth::driver::sim {
namespace {

struct Post {
    std::string text;
    std::vector<Descriptor> attached;
};

int send(Process& process, Descriptor socket, std::string_view text,
         std::vector<Descriptor> attached = {}) {
    return process.send_message(socket, as_bytes(text), attached).errno_value();
}

Post receive(Process& process, Descriptor socket, std::size_t size_max = 64) {
    std::string text(size_max, '\0');
    auto got = process.receive_message(socket, std::as_writable_bytes(std::span{text}));
    if (!got) return {KernelScene::error(got.errno_value()), {}};
    text.resize(got->size);
    return {text, std::move(got->attached)};
}

// ── Sharing ──────────────────────────────────────────────────────────────────────────────────

TEST(SimMessage, SocketIsClosedWithItsLastDescriptor) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    const auto copy = scene.process.duplicate(server).value();
    scene.process.close(server);
    EXPECT_EQ(scene.send(copy, "still here"), 0);
    EXPECT_EQ(scene.receive(client), "still here");
    scene.process.close(copy);
    EXPECT_EQ(scene.receive(client), "");
}

TEST(SimMessage, CopyOfAListenerKeepsItsQueue) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto copy = scene.process.duplicate(listener).value();
    const auto client = scene.client_of(listener);
    scene.process.close(listener);
    EXPECT_EQ(scene.poll(client), "out");
    EXPECT_TRUE(scene.process.accept(copy));
}

TEST(SimMessage, ShutdownEndsAListenerForEveryCopy) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto copy = scene.process.duplicate(listener).value();
    EXPECT_EQ(scene.shutdown(listener, Shut::both), 0);
    EXPECT_EQ(scene.process.accept(copy).errno_value(), EINVAL);
}

// ── Messages ─────────────────────────────────────────────────────────────────────────────────

TEST(SimMessage, KeepsItsBounds) {
    KernelScene scene;
    Process& process = scene.process;
    const auto [one, other] = process.message_pair().value();
    EXPECT_EQ(scene.poll(other), "out");
    EXPECT_EQ(send(process, one, "first"), 0);
    EXPECT_EQ(send(process, one, "second"), 0);
    EXPECT_EQ(scene.poll(other), "in out");
    EXPECT_EQ(receive(process, other).text, "first");
    EXPECT_EQ(receive(process, other, 3).text, scene.error(EMSGSIZE));
    EXPECT_EQ(receive(process, other).text, scene.error(EAGAIN));
    process.close(one);
    EXPECT_EQ(receive(process, other).text, "");
    EXPECT_EQ(send(process, other, "too late"), EPIPE);
}

TEST(SimMessage, IsRefusedWhereThereIsNoRoom) {
    KernelScene scene;
    const auto [one, other] = scene.process.message_pair().value();
    EXPECT_EQ(send(scene.process, one, std::string(300'000, 'x')), EMSGSIZE);
    const std::string large(100'000, 'x');
    int answer = 0;
    for (int count = 0; count < 4 && answer == 0; ++count) answer = send(scene.process, one, large);
    EXPECT_EQ(answer, EAGAIN);
}

TEST(SimMessage, ConnectsByNameAndKnowsWhoIsThere) {
    Kernel kernel{7};
    Process old{kernel, Process::kDescriptorsMax, {.uid = 4}};
    Process fresh{kernel, Process::kDescriptorsMax, {.uid = 5}};
    const Endpoint name{Scheme::unix_packet, "/run/handover"};
    const auto listener = old.socket(Family::local, Kind::packet).value();
    EXPECT_TRUE(old.bind(listener, name));
    EXPECT_TRUE(old.listen(listener, 1));
    const auto client = fresh.socket(Family::local, Kind::packet).value();
    EXPECT_TRUE(fresh.connect(client, name));
    const auto server = old.accept(listener).value().descriptor;
    EXPECT_EQ(old.peer_credentials(server)->uid, 5U);
    EXPECT_EQ(old.peer_credentials(server)->pid, fresh.id());
    EXPECT_EQ(fresh.peer_credentials(client)->uid, 4U);
    const auto stream = fresh.socket(Family::local, Kind::stream).value();
    EXPECT_EQ(fresh.connect(stream, name).errno_value(), EPROTOTYPE);
}

TEST(SimMessage, CarriesASocketToAnotherProcess) {
    KernelScene scene;
    Process successor{scene.kernel};
    const auto [one, other] = scene.process.message_pair().value();
    const auto listener = scene.listener();
    const auto client = scene.client_of(listener);
    // How the other end gets there is the subject of a fork; here by a message of its own.
    EXPECT_EQ(send(scene.process, one, "take it", {listener}), 0);
    scene.process.close(listener);
    EXPECT_EQ(scene.poll(client), "out");
    const Post post = receive(scene.process, other);
    ASSERT_EQ(post.attached.size(), 1U);
    EXPECT_TRUE(scene.process.accept(post.attached[0]));
}

TEST(SimMessage, WhatNobodyReceivesIsClosed) {
    KernelScene scene;
    const auto [one, other] = scene.process.message_pair().value();
    const auto [client, server] = scene.connection();
    EXPECT_EQ(send(scene.process, one, "lost", {server}), 0);
    scene.process.close(server);
    EXPECT_EQ(scene.receive(client), scene.error(EAGAIN));
    scene.process.close(other);
    EXPECT_EQ(scene.receive(client), "");
    EXPECT_EQ(send(scene.process, one, "to nobody"), ECONNRESET);
}

TEST(SimMessage, WithoutRoomForItsDescriptorsIsLost) {
    KernelScene scene;
    const auto [one, other] = scene.process.message_pair().value();
    const auto socket = scene.tcp();
    EXPECT_EQ(send(scene.process, one, "two", {socket, socket}), 0);
    const std::size_t open = scene.process.descriptors_open();
    scene.process.limit_descriptors(3 + open + 1);
    EXPECT_EQ(receive(scene.process, other).text, scene.error(EMSGSIZE));
    EXPECT_EQ(scene.process.descriptors_open(), open);
}

// ── Paths ────────────────────────────────────────────────────────────────────────────────────

TEST(SimMessage, RenameTakesAPathOver) {
    KernelScene scene;
    const auto old = scene.listener("unix:/run/s");
    const auto fresh = scene.listener("unix:/run/s.tmp");
    EXPECT_EQ(scene.process.rename("/run/s.tmp", "/run/s").errno_value(), 0);
    EXPECT_EQ(scene.process.rename("/run/s.tmp", "/run/s").errno_value(), ENOENT);
    EXPECT_EQ(scene.connect(scene.local(), endpoint("unix:/run/s")), 0);
    EXPECT_EQ(scene.process.accept(old).errno_value(), EAGAIN);
    EXPECT_TRUE(scene.process.accept(fresh));
    EXPECT_EQ(scene.process.local_endpoint(fresh, Scheme::unix_stream)->name(), "/run/s.tmp");
    scene.process.close(fresh);
    EXPECT_FALSE(scene.process.path_has_owner("/run/s").value());
    EXPECT_EQ(scene.process.permit("/run/s.tmp").errno_value(), ENOENT);
    EXPECT_TRUE(scene.process.permit("/run/s"));
}

}  // namespace
}  // namespace berth::driver::sim
