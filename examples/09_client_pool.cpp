// SPDX-License-Identifier: MIT
//
// Client pool: lines from many clients over a few connections to another server.
//
//     ./dev run 01_echo tcp://127.0.0.1:7000
//     ./dev run 09_client_pool tcp://127.0.0.1:8000 tcp://127.0.0.1:7000
//     nc 127.0.0.1 8000          # in two other terminals
//
// Shows:  outgoing connections that are kept and used again, a context given with the dial,
//         requests that wait for one, and a dial that tries again after pauses that grow.
// Next:   docs/guides/client.md, all about outgoing connections.

#include <berth/berth.hpp>

#include <chrono>
#include <deque>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using std::chrono::milliseconds;

struct Request {
    berth::InFlight client;  // keeps a stop waiting until it is answered
    std::string line;
};

// The context of a connection of ours; a client's has none.
struct Link {
    std::optional<Request> asked;
    berth::InFlight busy;  // keeps a stop from closing it meanwhile
};

// Of one loop, and so without locks.
struct Pool {
    std::vector<berth::ConnectionId> idle;
    std::size_t count = 0;  // idle, asked, or being dialled
    std::deque<Request> waiting;
};

class ClientPool final : public berth::EventHandler {
public:
    explicit ClientPool(berth::Destination server) : server_(std::move(server)) {}

    void on_boot(berth::Engine& engine) override {
        pools_ = std::vector<Pool>(engine.loop_count());
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }

    berth::Action on_traffic(berth::Connection& peer) override {
        Link* const link = peer.context<Link>();
        for (std::optional<std::string> line = next_line(peer); line; line = next_line(peer)) {
            if (link != nullptr) {
                answer(peer, *link, *line);
            } else {
                pool_of(peer.loop()).waiting.push_back({peer.begin(), std::move(*line)});
            }
        }
        serve(peer.loop());
        return berth::Action::none;
    }

    berth::Action on_open(berth::Connection& peer) override {
        Pool& pool = pool_of(peer.loop());
        if (peer.context<Link>() == nullptr) return berth::Action::none;
        pool.idle.push_back(peer.id());
        serve(peer.loop());
        return berth::Action::none;
    }

    // What it was asked is asked again, of another one.
    void on_close(berth::Connection& peer, berth::CloseReason) override {
        Link* const link = peer.context<Link>();
        if (link == nullptr) return;
        Pool& pool = pool_of(peer.loop());
        --pool.count;
        std::erase(pool.idle, peer.id());
        if (link->asked) pool.waiting.push_front(std::move(*link->asked));
        serve(peer.loop());
    }

    // A connection of ours stays as long as somebody waits for one; answer() closes it then.
    berth::Action on_drain(berth::Connection& peer, berth::Deadline) override {
        const bool is_wanted =
            peer.context<Link>() != nullptr && !pool_of(peer.loop()).waiting.empty();
        return is_wanted ? berth::Action::none : berth::Action::close;
    }

    // After all that kRetry grants; the next tick begins anew.
    void on_connect_failed(berth::EventLoop& loop, berth::ConnectionId,
                           const berth::Error& error) override {
        --pool_of(loop).count;
        std::cerr << error.to_string() << '\n';
    }

    berth::Duration on_tick(berth::EventLoop& loop) override {
        serve(loop);
        return milliseconds{50};
    }

private:
    static constexpr std::size_t kLinks = 4;  // per loop
    static constexpr berth::DialRetry kRetry{
        .attempts = 10, .first_delay = milliseconds{50}, .delay_max = milliseconds{2000}};

    Pool& pool_of(berth::EventLoop& loop) { return pools_[loop.index()]; }

    static std::optional<std::string> next_line(berth::Connection& peer) {
        const std::string_view unread = berth::as_text(peer.peek());
        const auto end = unread.find('\n');
        if (end == std::string_view::npos) return {};
        std::string line(unread.substr(0, end + 1));
        peer.discard(line.size());
        return line;
    }

    // The client may be gone: then nobody waits for it.
    void answer(berth::Connection& peer, Link& link, const std::string& line) {
        if (!link.asked) return;
        if (berth::Connection* client = peer.loop().find(link.asked->client.id())) {
            client->write(line);
        }
        link.asked.reset();
        link.busy.release();
        Pool& pool = pool_of(peer.loop());
        if (pool.waiting.empty() && !peer.loop().engine().is_ready()) return peer.close();
        pool.idle.push_back(peer.id());
    }

    void serve(berth::EventLoop& loop) {
        Pool& pool = pool_of(loop);
        while (!pool.waiting.empty() && !pool.idle.empty()) {
            berth::Connection* const link = loop.find(pool.idle.back());
            pool.idle.pop_back();
            if (link == nullptr || !link->is_open()) continue;
            Request& request =
                link->context<Link>()->asked.emplace(std::move(pool.waiting.front()));
            pool.waiting.pop_front();
            link->context<Link>()->busy = link->begin();
            link->write(request.line);
        }
        if (pool.waiting.empty() || pool.count == kLinks) return;
        berth::DialOptions dial{.deadline = loop.now() + std::chrono::seconds{10},
                                .context = berth::Context::make<Link>(),
                                .retry = kRetry};
        if (loop.connect(server_, std::move(dial))) ++pool.count;
    }

    berth::Destination server_;
    std::vector<Pool> pools_;
};

}  // namespace

int main(int argc, char** argv) {
    auto server = berth::Destination::parse(argc > 2 ? argv[2] : "tcp://127.0.0.1:7000");
    if (!server) {
        std::cerr << server.error().to_string() << '\n';
        return 2;
    }
    ClientPool pool(std::move(*server));
    const berth::Options options{.input_max = 64U << 10U};  // the longest line, with a margin
    return berth::run(pool, argc > 1 ? argv[1] : "tcp://127.0.0.1:8000", options).exit_code();
}
