// SPDX-License-Identifier: MIT
//
// Chat: what one person writes, everybody else reads.
//
//     ./dev run 02_chat tcp://127.0.0.1:7000
//     nc 127.0.0.1 7000          # in two other terminals
//
// Shows:  a context per connection, lines out of a stream of bytes, writing to connections of
//         other loops by ConnectionId, and a goodbye when the server drains.
// Next:   03_http.cpp, a protocol that others speak.

#include <berth/berth.hpp>

#include <iostream>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace {

// Who is here. Connections live on several loops, on several threads: hence the mutex. Their ids
// may be kept for as long as we like; to write to one that has just left does no harm.
class Room {
public:
    // The newcomer's name.
    std::string enter(berth::ConnectionId guest) {
        const std::lock_guard lock(mutex_);
        guests_.insert(guest);
        return "guest " + std::to_string(++visits_);
    }
    void leave(berth::ConnectionId guest) {
        const std::lock_guard lock(mutex_);
        guests_.erase(guest);
    }
    void tell_others(berth::Engine& engine, berth::ConnectionId speaker, std::string line) {
        const auto text = berth::Buffer::adopt(std::move(line));  // one copy for all of them
        const std::lock_guard lock(mutex_);
        for (const berth::ConnectionId guest : guests_) {
            if (guest != speaker) engine.write(guest, text.share());
        }
    }

private:
    std::mutex mutex_;
    std::set<berth::ConnectionId> guests_;
    int visits_ = 0;
};

// What a connection remembers: made when it opens, gone when it has closed.
struct Guest {
    std::string name;
};

struct Chat final : berth::EventHandler {
    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }
    berth::Action on_open(berth::Connection& peer) override {
        const auto& guest = peer.emplace_context<Guest>(room_.enter(peer.id()));
        peer.write("Welcome, " + guest.name + ".\n");
        say(peer, "has come in\n");
        return berth::Action::none;
    }
    // A line may come in pieces, and a piece may hold several lines: what has no end yet stays
    // unread, and is seen again with the next bytes.
    berth::Action on_traffic(berth::Connection& peer) override {
        std::string_view text = berth::as_text(peer.peek());
        const std::size_t whole_lines = text.rfind('\n') + 1;  // 0 when there is none
        for (text = text.substr(0, whole_lines); !text.empty();) {
            const std::size_t length = text.find('\n') + 1;
            say(peer, text.substr(0, length));
            text.remove_prefix(length);
        }
        peer.discard(whole_lines);
        return berth::Action::none;
    }
    berth::Action on_drain(berth::Connection& peer, berth::Deadline) override {
        peer.write("The server is closing. Goodbye!\n");
        return berth::Action::close;
    }
    void on_close(berth::Connection& peer, berth::CloseReason) override {
        room_.leave(peer.id());
        say(peer, "has left\n");
    }

private:
    void say(berth::Connection& peer, std::string_view words) {
        const std::string& name = peer.context<Guest>()->name;
        room_.tell_others(peer.loop().engine(), peer.id(), name + ": " + std::string(words));
    }

    Room room_;
};

}  // namespace

int main(int argc, char** argv) {
    Chat chat;
    const berth::Options options{.input_max = 64U << 10U};  // the longest line, with a margin
    return berth::run(chat, argc > 1 ? argv[1] : "tcp://127.0.0.1:7000", options).exit_code();
}
