// SPDX-License-Identifier: MIT
//
// `berth serve` started with sockets: systemd's socket activation.
//
// Method: the test listens, and gives its sockets to the program as descriptors 3, 4 and so on. A
// shell sets LISTEN_PID to its own number and becomes the program.

#include "server_process.hpp"
#include "support/raw_datagram.hpp"
#include "support/raw_message.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace {

using namespace berth::test;
using testing::HasSubstr;

// Open sockets of this process under the numbers that a child expects them at; what was there
// comes back.
class Handed {
public:
    explicit Handed(const std::vector<int>& sockets) {
        // Copies first, above all targets: a target may be one of the sources.
        std::vector<OwnedDescriptor> copies;
        for (const int socket : sockets) {
            copies.emplace_back(::fcntl(socket, F_DUPFD_CLOEXEC, kAbove));
        }
        for (std::size_t i = 0; i < sockets.size(); ++i) {
            const int target = kFirst + static_cast<int>(i);
            previous_.emplace_back(::fcntl(target, F_DUPFD_CLOEXEC, kAbove));
            ::dup2(copies[i].number(), target);
        }
    }
    Handed(const Handed&) = delete;
    Handed& operator=(const Handed&) = delete;
    ~Handed() {
        for (std::size_t i = 0; i < previous_.size(); ++i) {
            const int target = kFirst + static_cast<int>(i);
            if (previous_[i].number() >= 0) {
                ::dup3(previous_[i].number(), target, O_CLOEXEC);
            } else {
                ::close(target);
            }
        }
    }

private:
    static constexpr int kFirst = 3;
    static constexpr int kAbove = 100;
    std::vector<OwnedDescriptor> previous_;
};

const Process::Words kAsNamed{"/bin/sh", "-c", R"(LISTEN_PID=$$ exec "$0" "$@")"};

Process::Words given(std::size_t count, const std::string& names) {
    return {"LISTEN_FDS=" + std::to_string(count), "LISTEN_FDNAMES=" + names};
}

// A listener of the test's own, on a free port of loopback.
class Listener {
public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        ::listen(socket_.number(), 64);  // listen(2) binds to a free port of every address
    }
    int number() const { return socket_.number(); }

private:
    OwnedDescriptor socket_;
};

void expect_echo(const berth::Endpoint& endpoint) {
    RawPeer peer = RawPeer::connect(endpoint);
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "hello");
}

TEST(Activation, ServesTheSocketsThatItWasGiven) {
    const Listener first;
    const Listener second;
    const Handed handed({first.number(), second.number()});
    ServerProcess server({"echo"}, given(2, "web:admin"), kAsNamed);
    ASSERT_EQ(server.endpoints().size(), 2u);
    EXPECT_NE(server.endpoints()[0].port(), server.endpoints()[1].port());
    for (const berth::Endpoint& endpoint : server.endpoints()) expect_echo(endpoint);
    EXPECT_EQ(server.stop(), 0);
}

TEST(Activation, LeavesTheQueueToTheNextServer) {
    const Listener listener;
    const Handed handed({listener.number()});
    ServerProcess first({"echo"}, given(1, "web"), kAsNamed);
    const berth::Endpoint endpoint = first.endpoint();
    EXPECT_EQ(first.stop(), 0) << first.messages();
    RawPeer between = RawPeer::connect(endpoint);
    between.send("hello");
    ServerProcess second({"echo"}, given(1, "web"), kAsNamed);
    EXPECT_EQ(between.read(5), "hello");
    between.close();
    EXPECT_EQ(second.stop(), 0) << second.messages();
}

TEST(Activation, IsMatchedByTheRealAddress) {
    const Listener listener;
    const Handed handed({listener.number()});
    std::string address;
    {
        ServerProcess server({"echo"}, given(1, "web"), kAsNamed);
        address = "tcp4://:" + std::to_string(server.endpoint().port());
        EXPECT_EQ(server.stop(), 0);
    }
    ServerProcess server({"echo", "--listen", "tcp://127.0.0.1:0", "--listen", address},
                         given(1, "web"), kAsNamed);
    ASSERT_EQ(server.endpoints().size(), 2u);
    for (const berth::Endpoint& endpoint : server.endpoints()) expect_echo(endpoint);
    EXPECT_EQ(server.stop(), 0);
}

TEST(Activation, RefusesASocketThatNoAddressNames) {
    const Listener listener;
    const Handed handed({listener.number()});
    Process::Words words = kAsNamed;
    for (const auto& word : berth_words({"serve", "echo", "--listen", "tcp://127.0.0.1:0"})) {
        words.push_back(word);
    }
    Process server(words, given(1, "web"));
    EXPECT_EQ(server.wait(), 2);
    EXPECT_THAT(server.messages(), HasSubstr("no address of this server names it"));
}

TEST(Activation, RefusesWhatIsNotAListener) {
    const OwnedDescriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const OwnedDescriptor datagrams(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const OwnedDescriptor unbound(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const OwnedDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Process::Words words = kAsNamed;
    for (const auto& word : berth_words({"serve", "echo"})) words.push_back(word);
    for (const auto& [number, said] : {std::pair{connection.number(), "does not listen"},
                                       {datagrams.number(), "neither a listener"},
                                       {unbound.number(), "does not listen"},
                                       {file.number(), "not a socket"}}) {
        const Handed handed({number});
        Process server(words, given(1, "web"));
        EXPECT_EQ(server.wait(), 2);
        EXPECT_THAT(server.messages(), HasSubstr(said));
        EXPECT_EQ(server.output(), "");
    }
}

TEST(Activation, ServesAPortOfUdp) {
    RawDatagramSocket given_port(*berth::Endpoint::parse("udp://127.0.0.1:0"));
    const Handed handed({given_port.descriptor()});
    ServerProcess server({"echo"}, given(1, "dns"), kAsNamed);
    EXPECT_EQ(server.address(), given_port.endpoint().to_string());
    RawDatagramSocket peer(server.endpoint());
    peer.send_to(server.endpoint(), "ping");
    EXPECT_EQ(peer.read().bytes, "ping");
    EXPECT_EQ(server.stop(), 0);
}

TEST(Activation, ServesUnixDatagramsAndPackets) {
    const berth::test::TempDir folder;
    for (const berth::Scheme scheme : {berth::Scheme::unix_datagram, berth::Scheme::unix_packet}) {
        const berth::Endpoint at(scheme, folder.file(std::to_string(static_cast<int>(scheme))));
        RawMessages listening = RawMessages::bound(at);
        if (scheme == berth::Scheme::unix_packet) {
            ASSERT_EQ(::listen(listening.descriptor(), 8), 0);
        }
        const Handed handed({listening.descriptor()});
        ServerProcess server({"echo"}, given(1, "local"), kAsNamed);
        EXPECT_EQ(server.address(), at.to_string());
        RawMessages peer = RawMessages::connect(at);
        peer.send("ping");
        EXPECT_EQ(peer.read().bytes, "ping");
        EXPECT_EQ(server.stop(), 0) << server.messages();
    }
}

TEST(Activation, IsNotForAnotherProcess) {
    ServerProcess server({"echo", "--listen", "tcp://127.0.0.1:0"},
                         {"LISTEN_PID=1", "LISTEN_FDS=1"});
    expect_echo(server.endpoint());
    EXPECT_EQ(server.stop(), 0);
}

}  // namespace
