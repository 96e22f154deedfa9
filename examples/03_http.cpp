// SPDX-License-Identifier: MIT
//
// Http: two pages for a browser, or for a thousand of them.
//
//     ./dev run 03_http tcp://127.0.0.1:7000
//     curl -i http://127.0.0.1:7000/ http://127.0.0.1:7000/visits
//
// Shows:  requests out of a stream of bytes, however they arrive; the answers to many of them in
//         one system call; a bound on what a client may send; and a close after the answer.
// Lacks:  what makes a whole HTTP server. It reads the first line of a request, and takes no
//         bodies. How strictly one has to read: apps/berth/http_scanner.cpp.

#include <berth/berth.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <iostream>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

// Names in HTTP have no case; `words` is in lower case.
bool mentions(std::string_view head, std::string_view words) {
    const auto is_same = [](unsigned char a, unsigned char b) { return std::tolower(a) == b; };
    return !std::ranges::search(head, words, is_same).empty();
}

// Where the next request begins is known only if this one has no body.
bool keeps_alive(std::string_view head) {
    return head.starts_with("GET ") && !mentions(head, "http/1.0") &&
           !mentions(head, "\r\nconnection: close") && !mentions(head, "\r\ncontent-length:") &&
           !mentions(head, "\r\ntransfer-encoding:");
}

struct Http final : berth::EventHandler {
    void on_boot(berth::Engine& engine) override {
        std::cout << "listening " << engine.endpoints()[0].to_string() << '\n' << std::flush;
    }
    // What has no end yet stays unread, and is seen again with the next bytes.
    berth::Action on_traffic(berth::Connection& peer) override {
        std::string_view text = berth::as_text(peer.peek());
        for (auto end = text.find(kHeadEnd); end != text.npos; end = text.find(kHeadEnd)) {
            const std::string_view head = text.substr(0, end);
            const bool keep_alive = keeps_alive(head);
            peer.write(answer(head, keep_alive));
            if (!keep_alive) return berth::Action::close;
            text.remove_prefix(end + kHeadEnd.size());
        }
        peer.discard(peer.unread() - text.size());
        return berth::Action::none;
    }

private:
    std::string answer(std::string_view head, bool keep_alive) {
        if (!head.starts_with("GET ")) return wire("405 Method Not Allowed", "Only GET.\n", false);
        if (head.starts_with("GET / ")) return wire("200 OK", "Welcome aboard.\n", keep_alive);
        if (!head.starts_with("GET /visits ")) {
            return wire("404 Not Found", "There is / and /visits.\n", keep_alive);
        }
        return wire("200 OK", std::to_string(++visits_) + '\n', keep_alive);
    }
    static std::string wire(std::string_view status, const std::string& body, bool keep_alive) {
        std::string text = "HTTP/1.1 ";
        text.append(status).append("\r\nContent-Type: text/plain\r\nContent-Length: ");
        text += std::to_string(body.size());
        return text + (keep_alive ? "" : "\r\nConnection: close") + "\r\n\r\n" + body;
    }

    std::atomic<int> visits_ = 0;  // loops answer at the same time
};

}  // namespace

int main(int argc, char** argv) {
    Http http;
    const berth::Options options{.input_max = 64U << 10U};  // the longest head, with a margin
    return berth::run(http, argc > 1 ? argv[1] : "tcp://127.0.0.1:7000", options).exit_code();
}
