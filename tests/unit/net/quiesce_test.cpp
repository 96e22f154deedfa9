// SPDX-License-Identifier: MIT
//
// Quiesce: who is inside is served, who comes late is not let in, and nobody is reset.
//
// Method: the real kernel, and the test is the acceptor. A client that demands a TTL which no
// packet has is deaf: its handshake stays half done for as long as we want.

#include "net/quiesce.hpp"

#include "driver/kernel_system.hpp"
#include "support/eventually.hpp"
#include "support/privilege.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace berth::net {
namespace {

using driver::Descriptor;
using test::eventually;

driver::System& kernel() { return driver::kernel_system(); }

class Client {
public:
    explicit Client(const Endpoint& to, bool is_deaf = false)
        : socket_(number(kernel().open_socket(to).value_or(Descriptor::none))) {
        if (is_deaf) require_ttl(255);
        static_cast<void>(kernel().connect(descriptor(), to));  // EINPROGRESS
    }

    void hear() { require_ttl(0); }
    bool is_connected() const { return bool{kernel().peer_endpoint(descriptor(), Scheme::tcp)}; }
    // Why it could not connect, once it is known.
    int error() const {
        int value = 0;
        socklen_t length = sizeof value;
        ::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &value, &length);
        return value;
    }
    test::RawPeer talk() { return test::RawPeer(std::move(socket_)); }

private:
    Descriptor descriptor() const { return Descriptor{socket_.number()}; }
    void require_ttl(int least) { EXPECT_TRUE(kernel().require_ttl(descriptor(), least)); }

    test::OwnedDescriptor socket_;
};

// An address whose acceptor is the test.
class Address {
public:
    explicit Address(const std::string& at, std::size_t shards = 1) {
        auto opened = Listening::open(kernel(), Endpoint::parse(at).value(),
                                      {.shards = shards, .backlog = 16});
        EXPECT_TRUE(opened) << opened.error().to_string();
        listening_.emplace(std::move(*opened));
    }

    Listening& listening() { return *listening_; }
    // Where clients connect to.
    Endpoint target() const {
        const Endpoint& real = listening_->endpoint();
        if (!real.is_wildcard()) return real;
        const IpEndpoint loopback{.address = {127, 0, 0, 1}, .port = real.port(), .family = 4};
        return {Scheme::tcp, loopback};
    }
    // Null: nobody waits.
    std::unique_ptr<test::RawPeer> accept() {
        for (std::size_t shard = 0; shard < listening_->shard_count(); ++shard) {
            const auto accepted = kernel().accept(listening_->descriptor(shard));
            if (!accepted) continue;
            listening_->entrance().free(kernel(), accepted->descriptor);
            return std::make_unique<test::RawPeer>(
                test::OwnedDescriptor{number(accepted->descriptor)});
        }
        return nullptr;
    }
    std::unique_ptr<test::RawPeer> await() {
        std::unique_ptr<test::RawPeer> served;
        EXPECT_TRUE(eventually([&] { return (served = accept()) != nullptr; }));
        return served;
    }
    void close() { listening_.reset(); }

private:
    std::optional<Listening> listening_;
};

struct Case {
    QuiesceMeans means;
    const char* address;
    std::size_t shards;
};

void PrintTo(const Case& it, std::ostream* out) {
    *out << to_string(it.means) << " of " << it.address << " in " << it.shards;
}

class Barred : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        const bool wants_filter = GetParam().means == QuiesceMeans::syn_filter;
        if (!wants_filter) unprivileged.emplace();
        if (test::may_filter_tcp() != wants_filter) {
            GTEST_SKIP() << (wants_filter ? "TCP sockets cannot be filtered here"
                                          : "everybody may filter TCP sockets here");
        }
        const Endpoint at = Endpoint::parse(GetParam().address).value();
        if (!Listening::open(kernel(), at, {.backlog = 1})) GTEST_SKIP() << "no IPv6 here";
        address.emplace(GetParam().address, GetParam().shards);
        quiesce.emplace(kernel(), address->listening());
    }

    std::optional<test::NoNetworkAdministrator> unprivileged;
    std::optional<Address> address;
    std::optional<Quiesce> quiesce;
};

TEST_P(Barred, TakesTheBestMeansThereIs) {
    quiesce->begin();
    EXPECT_EQ(quiesce->means(), GetParam().means);
    EXPECT_TRUE(quiesce->is_empty());
    EXPECT_EQ(quiesce->handshakes_abandoned(), 0U);
}

TEST_P(Barred, ServesWhoWasInTheQueue) {
    std::vector<test::RawPeer> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(test::RawPeer::connect(address->target()));
    quiesce->begin();
    EXPECT_FALSE(quiesce->is_empty());
    for (test::RawPeer& client : clients) client.send("hello");
    for (int i = 0; i < 4; ++i) EXPECT_EQ(address->await()->read(5), "hello");
    EXPECT_TRUE(quiesce->is_empty());
}

TEST_P(Barred, RefusesLateClientsAndResetsNone) {
    quiesce->begin();
    Client late(address->target());
    EXPECT_TRUE(quiesce->is_empty());
    EXPECT_FALSE(address->accept());
    EXPECT_FALSE(late.is_connected());
    address->close();
    int error = 0;  // once its SYN is sent again
    EXPECT_TRUE(eventually([&] { return (error = late.error()) != 0; }));
    EXPECT_EQ(error, ECONNREFUSED);
}

TEST_P(Barred, WaitsForHandshakesUnderWayAndTheyCanTalk) {
    Client slow(address->target(), true);
    EXPECT_TRUE(eventually([&] { return quiesce->begin(), !quiesce->is_empty(); }));
    EXPECT_EQ(quiesce->handshakes_abandoned(), 1U);
    slow.hear();
    const auto served = address->await();
    EXPECT_TRUE(quiesce->is_empty());
    test::RawPeer client = slow.talk();
    client.send("at last");
    EXPECT_EQ(served->read(7), "at last");
    served->send("yes");
    EXPECT_EQ(client.read(3), "yes");
}

INSTANTIATE_TEST_SUITE_P(By, Barred,
                         testing::Values(Case{QuiesceMeans::syn_filter, "tcp://127.0.0.1:0", 1},
                                         Case{QuiesceMeans::syn_filter, "tcp://127.0.0.1:0", 3},
                                         Case{QuiesceMeans::syn_filter, "tcp://[::1]:0", 1},
                                         Case{QuiesceMeans::syn_filter, "tcp://:0", 1},
                                         Case{QuiesceMeans::ttl, "tcp://127.0.0.1:0", 1},
                                         Case{QuiesceMeans::ttl, "tcp://127.0.0.1:0", 3},
                                         Case{QuiesceMeans::ttl, "tcp://[::1]:0", 1},
                                         Case{QuiesceMeans::ttl, "tcp://:0", 1}));

// ── Other addresses, other means ─────────────────────────────────────────────────────────────

TEST(Quiesce, HandshakesOfAnotherAddressOnTheSamePortAreNotOurs) {
    Address ours("tcp://127.0.0.1:0");
    const std::string port = std::to_string(ours.target().port());
    Address other("tcp://127.0.0.2:" + port);
    Client half(other.target(), true);
    Quiesce quiesce(kernel(), ours.listening());
    Quiesce other_quiesce(kernel(), other.listening());
    EXPECT_TRUE(eventually([&] { return other_quiesce.begin(), !other_quiesce.is_empty(); }));
    quiesce.begin();
    EXPECT_TRUE(quiesce.is_empty());
}

TEST(Quiesce, QueueThatIsAnothersTooIsLeftAlone) {
    Address address("tcp://127.0.0.1:0");
    address.listening().share(true);
    Quiesce quiesce(kernel(), address.listening());
    quiesce.begin();
    EXPECT_EQ(quiesce.means(), QuiesceMeans::handed_over);
    const auto waiting = test::RawPeer::connect(address.target());
    EXPECT_TRUE(quiesce.is_empty()) << "the queue is not ours to empty";
}

TEST(Quiesce, UnixPathIsGoneAtOnceAndItsQueueIsServed) {
    const test::TempDir dir;
    Address address("unix:" + dir.file("socket"));
    test::RawPeer client = test::RawPeer::connect(address.target());
    Quiesce quiesce(kernel(), address.listening());
    quiesce.begin();
    EXPECT_EQ(quiesce.means(), QuiesceMeans::unlinked);
    EXPECT_FALSE(std::filesystem::exists(dir.file("socket")));
    EXPECT_FALSE(quiesce.is_empty()) << "a client may have found the name just before";
    EXPECT_TRUE(quiesce.is_empty());
    client.send("hello");
    EXPECT_EQ(address.await()->read(5), "hello");
}

TEST(Quiesce, UnixPathOfASuccessorStays) {
    const test::TempDir dir;
    Address address("unix:" + dir.file("socket"));
    std::filesystem::rename(dir.file("socket"), dir.file("old"));
    const test::RawListener successor(Endpoint::parse("unix:" + dir.file("socket")).value());
    Quiesce(kernel(), address.listening()).begin();
    EXPECT_TRUE(std::filesystem::exists(dir.file("socket")));
}

TEST(Quiesce, AbstractNameIsClosedAsWellAsCanBe) {
    const test::TempDir dir;
    Address address("unix:@" + dir.path().filename().string());
    Quiesce quiesce(kernel(), address.listening());
    quiesce.begin();
    EXPECT_EQ(quiesce.means(), QuiesceMeans::best_effort);
    EXPECT_TRUE(quiesce.is_empty());
}

}  // namespace
}  // namespace berth::net
