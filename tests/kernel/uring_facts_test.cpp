// SPDX-License-Identifier: MIT
//
// Kernel facts: io_uring keeps a socket alive for as long as it has something to do with it.
//
// What berth's driver of io_uring has to respect.

#include "kernel/scene.hpp"
#include "support/eventually.hpp"

#include <gtest/gtest.h>

#include <liburing.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace berth::kernel {
namespace {

class UringFact : public testing::Test {
protected:
    void SetUp() override {
        const int result = ::io_uring_queue_init(8, &ring_, 0);
        is_ready_ = result == 0;
        if (!is_ready_) GTEST_SKIP() << "io_uring_setup(2) answers errno " << -result;
    }
    void TearDown() override {
        if (is_ready_) ::io_uring_queue_exit(&ring_);
    }

    // Arms an accept for as many as come.
    void accept_many(const OwnedDescriptor& at) {
        io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
        ::io_uring_prep_multishot_accept(entry, at.number(), nullptr, nullptr, SOCK_CLOEXEC);
        ::io_uring_sqe_set_data64(entry, kAccept);
        ASSERT_EQ(::io_uring_submit(&ring_), 1);
    }
    void receive(const OwnedDescriptor& socket) {
        io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
        ::io_uring_prep_recv(entry, socket.number(), &byte_, 1, 0);
        ::io_uring_sqe_set_data64(entry, kReceive);
        ASSERT_EQ(::io_uring_submit(&ring_), 1);
    }
    void cancel(std::uint64_t data) {
        io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
        ::io_uring_prep_cancel64(entry, data, 0);
        ::io_uring_sqe_set_data64(entry, kCancel);
        ASSERT_EQ(::io_uring_submit(&ring_), 1);
    }
    // The next result of this operation; others are passed over.
    int result_of(std::uint64_t data) {
        const auto limit = test::patience();
        __kernel_timespec time{.tv_sec = limit.count() / 1000, .tv_nsec = 0};
        for (;;) {
            io_uring_cqe* entry = nullptr;
            const int waited = ::io_uring_wait_cqe_timeout(&ring_, &entry, &time);
            if (waited != 0) return waited;
            const bool is_it = ::io_uring_cqe_get_data64(entry) == data;
            const int result = entry->res;
            ::io_uring_cqe_seen(&ring_, entry);
            if (is_it) return result;
        }
    }
    static bool is_free(std::uint16_t port) { return bind_to(open_socket(), v4(port)) == 0; }

    static constexpr std::uint64_t kAccept = 1;
    static constexpr std::uint64_t kReceive = 2;
    static constexpr std::uint64_t kCancel = 3;

    io_uring ring_{};
    bool is_ready_ = false;
    char byte_ = 0;
};

// So close(2) is not the end of a listener: cancel first, or shut it down.
TEST_F(UringFact, APendingAcceptKeepsAClosedListenerListening) {
    auto at = listener();
    const auto port = port_of(at);
    accept_many(at);
    at.close();
    EXPECT_FALSE(is_free(port));
    const auto client = client_of(port);
    const int accepted = result_of(kAccept);
    EXPECT_GT(accepted, 0) << "it even goes on accepting";
    const OwnedDescriptor server{accepted};
}

TEST_F(UringFact, CancellingTheAcceptFreesThePort) {
    auto at = listener();
    const auto port = port_of(at);
    accept_many(at);
    at.close();
    cancel(kAccept);
    EXPECT_EQ(result_of(kAccept), -ECANCELED);
    EXPECT_TRUE(test::eventually([&] { return is_free(port); }));
}

TEST_F(UringFact, ShutdownEndsThePendingAccept) {
    auto at = listener();
    const auto port = port_of(at);
    accept_many(at);
    ::shutdown(at.number(), SHUT_RDWR);
    EXPECT_EQ(result_of(kAccept), -EINVAL);
    at.close();
    EXPECT_TRUE(test::eventually([&] { return is_free(port); }));
}

// So completions are read to the end after a cancel: one may carry a client.
TEST_F(UringFact, AConnectionAcceptedBeforeTheCancelIsStillDelivered) {
    const auto at = listener();
    accept_many(at);
    const auto client = client_of(port_of(at));
    EXPECT_TRUE(has_rows(port_of(at), SocketState::established));
    cancel(kAccept);
    const int accepted = result_of(kAccept);
    ASSERT_GT(accepted, 0);
    const OwnedDescriptor server{accepted};
    EXPECT_EQ(result_of(kAccept), -ECANCELED);
}

// So a connection is cancelled before it is closed: the peer would see no FIN.
TEST_F(UringFact, APendingReceiveKeepsAClosedConnectionOpen) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    receive(server);
    server.close();
    EXPECT_TRUE(is_connected(client));
    cancel(kReceive);
    EXPECT_EQ(result_of(kReceive), -ECANCELED);
    EXPECT_EQ(read_to_end(client).end, End::fin);
}

TEST_F(UringFact, TheEndOfTheRingFreesThePort) {
    auto at = listener();
    const auto port = port_of(at);
    accept_many(at);
    at.close();
    ::io_uring_queue_exit(&ring_);
    is_ready_ = false;
    EXPECT_TRUE(test::eventually([&] { return is_free(port); }));
}

// So registered files are unregistered before a listener counts as closed.
TEST_F(UringFact, ARegisteredFileKeepsThePort) {
    auto at = listener();
    const auto port = port_of(at);
    const int number = at.number();
    ASSERT_EQ(::io_uring_register_files(&ring_, &number, 1), 0);
    at.close();
    EXPECT_FALSE(is_free(port));
    ::io_uring_unregister_files(&ring_);
    EXPECT_TRUE(test::eventually([&] { return is_free(port); }));
}

}  // namespace
}  // namespace berth::kernel
