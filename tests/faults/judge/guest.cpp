// SPDX-License-Identifier: MIT
//
// Guest: raw sockets, and the first trouble.

#include "faults/judge/guest.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

namespace berth::test {
namespace {

void require(bool done, const char* call) {
    if (!done) throw std::system_error(errno, std::generic_category(), call);
}

// A socket of its own name, connected when this returns.
struct Dialler {
    OwnedDescriptor socket;

    Dialler(int family, Guest::Manner manner)
        : socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        require(socket.number() >= 0, "socket");
        const int least = 1;  // the kernel raises it to its minimum, socket(7)
        if (manner == Guest::Manner::normal) return;
        require(::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least) == 0,
                "setsockopt");
    }

    template <class Form>
    void bind(const Form& own, std::size_t size = sizeof(Form)) const {
        const auto* address = reinterpret_cast<const sockaddr*>(&own);
        require(::bind(socket.number(), address, static_cast<socklen_t>(size)) == 0, "bind");
    }

    template <class Form>
    void connect(const Form& to) const {
        const auto* address = reinterpret_cast<const sockaddr*>(&to);
        require(::connect(socket.number(), address, sizeof to) == 0, "connect");
    }
};

sockaddr_un unix_form(std::string_view name) {
    sockaddr_un form{};
    form.sun_family = AF_UNIX;
    name.copy(form.sun_path, sizeof form.sun_path - 1);
    if (name.starts_with('@')) form.sun_path[0] = '\0';
    return form;
}

sockaddr_in loopback_form(std::uint16_t port) {
    sockaddr_in form{};
    form.sin_family = AF_INET;
    form.sin_port = htons(port);
    form.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return form;
}

std::uint16_t port_of(int socket) {
    sockaddr_in form{};
    socklen_t size = sizeof form;
    require(::getsockname(socket, reinterpret_cast<sockaddr*>(&form), &size) == 0, "getsockname");
    return ntohs(form.sin_port);
}

}  // namespace

Guest Guest::tcp(std::string role, std::uint16_t port, Manner manner) {
    Guest guest(std::move(role));
    guest.attempt([&] {
        Dialler dialler(AF_INET, manner);
        dialler.bind(loopback_form(0));
        guest.name_ = "tcp://127.0.0.1:" + std::to_string(port_of(dialler.socket.number()));
        dialler.connect(loopback_form(port));
        guest.peer_.emplace(std::move(dialler.socket));
    });
    return guest;
}

Guest Guest::unix(std::string role, std::string_view path) {
    Guest guest(std::move(role));
    const std::string own = "@berth-guest-" + std::to_string(::getpid()) + "-" + guest.role_;
    guest.name_ = "unix:" + own;
    guest.attempt([&] {
        Dialler dialler(AF_UNIX, Manner::normal);
        dialler.bind(unix_form(own), offsetof(sockaddr_un, sun_path) + own.size());
        dialler.connect(unix_form(path));
        guest.peer_.emplace(std::move(dialler.socket));
    });
    return guest;
}

void Guest::attempt(const std::function<void()>& step) {
    if (!trouble_.empty()) return;
    try {
        step();
    } catch (const std::system_error& error) {
        trouble_ = error.what();
        waited_in_vain_ = error.code().value() == ETIMEDOUT;
    }
}

void Guest::say(std::string_view bytes) {
    attempt([&] { peer_->send(bytes); });
}

void Guest::note_shortage(std::size_t got, std::size_t wanted) {
    saw_cut_by_fin_ = peer_->ended() == Ended::by_fin;
    trouble_ = (saw_cut_by_fin_ ? "a FIN after " : "a reset after ") + std::to_string(got) +
               " of " + std::to_string(wanted) + " bytes";
}

void Guest::expect(std::string_view bytes) {
    attempt([&] {
        const std::string got = peer_->read(bytes.size());
        saw_wrong_bytes_ = !bytes.starts_with(got);
        if (saw_wrong_bytes_) trouble_ = "wrong bytes";
        if (!saw_wrong_bytes_ && got.size() < bytes.size()) note_shortage(got.size(), bytes.size());
    });
}

char Guest::expect_one_of(std::string_view choices) {
    char answer = '\0';
    attempt([&] {
        const std::string got = peer_->read(1);
        if (got.empty()) return note_shortage(0, 1);
        saw_wrong_bytes_ = !choices.contains(got[0]);
        if (saw_wrong_bytes_) trouble_ = "wrong bytes";
        answer = got[0];
    });
    return answer;
}

void Guest::expect_end(Ended ended) {
    attempt([&] {
        const std::string rest = peer_->read_to_end();
        if (ended == Ended::by_fin && !rest.empty()) {
            saw_wrong_bytes_ = true;
            trouble_ = "bytes that nobody wrote";
        } else if (peer_->ended() != ended) {
            saw_cut_by_fin_ = ended == Ended::by_reset;
            trouble_ =
                ended == Ended::by_fin ? "a reset in place of a FIN" : "a FIN in place of a reset";
        }
    });
}

void Guest::end() {
    attempt([&] { peer_->end(); });
}

void Guest::reset() {
    attempt([&] { peer_->reset(); });
}

void Guest::leave() {
    if (peer_) peer_->close();
}

}  // namespace berth::test
