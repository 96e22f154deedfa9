// SPDX-License-Identifier: MIT
//
// Proxy: each client is joined with a connection of its own to another server.
//
//     ./dev run 01_echo tcp://127.0.0.1:7000
//     ./dev run 08_proxy tcp://127.0.0.1:8000 tcp://127.0.0.1:7000
//     nc 127.0.0.1 8000          # in two other terminals
//
// Shows:  dialling a name or an address on the loop of a given connection, joining two
//         connections, and a token that keeps a stop waiting while that is under way.
// Next:   docs/guides/client.md, all about outgoing connections.

#include <berth/berth.hpp>

#include <chrono>
#include <iostream>
#include <utility>

namespace {

class Proxy final : public berth::EventHandler {
public:
    explicit Proxy(berth::Destination backend) : backend_(std::move(backend)) {}

    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }

    // What the client says before its backend is there waits in the kernel.
    berth::Action on_open(berth::Connection& peer) override {
        if (peer.listener_index() == berth::Connection::kNoListener) return berth::Action::none;
        peer.pause_read();
        berth::DialOptions dial{.deadline = peer.loop().now() + std::chrono::seconds{5}};
        dial.done = [client = peer.begin()](berth::EventLoop& loop,
                                            berth::Result<berth::ConnectionId> dialled) {
            join(loop, client.id(), dialled);
        };
        const auto begun = peer.loop().connect(backend_, std::move(dial));
        return begun ? berth::Action::none : berth::Action::close;
    }

private:
    // From then on bytes and ends go both ways by themselves. Either may be gone by now.
    static void join(berth::EventLoop& loop, berth::ConnectionId client,
                     const berth::Result<berth::ConnectionId>& dialled) {
        berth::Connection* const front = loop.find(client);
        berth::Connection* const back = dialled ? loop.find(*dialled) : nullptr;
        if (front != nullptr && back != nullptr && front->relay_to(*back)) return;
        if (!dialled) std::cerr << dialled.error().to_string() << '\n';
        if (front != nullptr) front->close(berth::CloseMode::reset);
        if (back != nullptr) back->close();
    }

    berth::Destination backend_;
};

}  // namespace

int main(int argc, char** argv) {
    auto backend = berth::Destination::parse(argc > 2 ? argv[2] : "tcp://127.0.0.1:7000");
    if (!backend) {
        std::cerr << backend.error().to_string() << '\n';
        return 2;
    }
    Proxy proxy(std::move(*backend));
    return berth::run(proxy, argc > 1 ? argv[1] : "tcp://127.0.0.1:8000").exit_code();
}
