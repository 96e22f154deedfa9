// SPDX-License-Identifier: MIT
//
// Unix files: a server that opens files for its clients, and hands them over open.
//
//     ./dev run 11_unix_files unixpacket:///tmp/files.sock
//     ./dev run 11_unix_files unixpacket:///tmp/files.sock /etc/hostname   # in another terminal
//
// Shows:  a Unix path with its permissions, whose process is at the other end, packets that keep
//         their bounds, and a descriptor that travels with one; as server and as client.
// Next:   docs/guides/unix-sockets.md, all about Unix sockets.

#include <berth/berth.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace {

class Opener final : public berth::EventHandler {
public:
    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }

    // The kernel says who connected; what the client says of himself does not count.
    berth::Action on_open(berth::Connection& peer) override {
        const auto who = peer.peer_credentials();
        return who && who->uid == ::geteuid() ? berth::Action::none : berth::Action::close;
    }

    // One packet is one path. A file is opened without waiting for it: it may be a pipe.
    berth::Action on_traffic(berth::Connection& peer) override {
        const std::string path(berth::as_text(peer.next()));
        berth::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!file.is_open()) {
            peer.write(path + ": " + std::generic_category().message(errno));
            return berth::Action::none;
        }
        const auto sent = peer.write_with(path, std::move(file));
        return sent ? berth::Action::none : berth::Action::close;
    }
};

// Asks for one file and prints it.
class Reader final : public berth::EventHandler {
public:
    explicit Reader(std::string path) : path_(std::move(path)) {}

    bool has_read() const { return has_read_; }

    berth::Action on_open(berth::Connection& peer) override {
        peer.write(path_);
        return berth::Action::none;
    }

    berth::Action on_traffic(berth::Connection& peer) override {
        const std::string_view answer = berth::as_text(peer.next());
        const auto files = peer.take_descriptors();
        if (files.empty()) {
            std::cerr << answer << '\n';
        } else {
            print(files[0]);
            has_read_ = true;
        }
        return berth::Action::shutdown;
    }

    void on_close(berth::Connection& peer, berth::CloseReason) override {
        peer.loop().engine().request_stop();
    }
    void on_connect_failed(berth::EventLoop& loop, berth::ConnectionId,
                           const berth::Error& error) override {
        std::cerr << error.to_string() << '\n';
        loop.engine().request_stop();
    }

private:
    static void print(const berth::FileDescriptor& file) {
        std::array<char, 4096> piece{};
        for (;;) {
            const ssize_t count = ::read(file.number(), piece.data(), piece.size());
            if (count <= 0) return;
            std::cout.write(piece.data(), count);
        }
    }

    std::string path_;
    bool has_read_ = false;
};

int read_one(std::string_view address, std::string path) {
    const auto server = berth::Destination::parse(address);
    if (!server) {
        std::cerr << server.error().to_string() << '\n';
        return 2;
    }
    Reader reader(std::move(path));
    berth::Engine engine(reader, {.loops = 1});
    if (!engine.start() || !engine.connect(*server, {.descriptors_max = 1})) return 1;
    return engine.wait() && reader.has_read() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view address = argc > 1 ? argv[1] : "unixpacket:///tmp/files.sock";
    if (argc > 2) return read_one(address, argv[2]);
    Opener opener;
    // Its owner alone may connect. Descriptors are let travel both ways: one that a client sends is
    // taken by nobody, and closed.
    return berth::run(opener, address, {.unix_mode = 0600, .descriptors_max = 1}).exit_code();
}
