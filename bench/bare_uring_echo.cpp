// SPDX-License-Identifier: MIT
//
// bare_uring_echo: the leanest echo that io_uring(7) allows, as the yardstick for ours.
//
//     bare_uring_echo [PORT | --unix PATH] [--busy]      SIGTERM ends it
//
// One thread, one system call per pass. Connections are accepted and read by multishot requests;
// an answer is sent from the very buffer that it was received in, silently: at most one such send
// of a connection in a pass, which either succeeds at once, without an answer of its own, or whose
// remainder is copied and sent by a request that waits. It is no server: nothing bounds what one
// peer may make it keep.
//
// A buffer goes back to the kernel only after the pass that sends from it: until the call after,
// the bytes of a failed send are still there.

#include "bare_ring.hpp"
#include "listening.hpp"

#include <linux/io_uring.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace {

using bench::require;

// What an answer is about, above the descriptor in its user data.
enum class Asked : std::uint32_t { receive, silent_send, waiting_send, close, accept };
constexpr std::uint32_t kPeersMax = 1U << 16U;
constexpr std::uint32_t kSilent = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;

std::uint64_t name_of(Asked what, int descriptor) {
    return static_cast<std::uint64_t>(what) << 32U | static_cast<std::uint32_t>(descriptor);
}

// What may not be sent silently, or was refused.
struct Rest {
    std::vector<std::byte> sending;  // by a request that waits; does not move
    std::vector<std::byte> next;
    bool has_ended = false;  // the peer's FIN: close when everything is sent
};

struct Peer {
    std::uint32_t pass = 0;  // of the last silent send
    std::uint32_t size = 0;  // of that
    const std::byte* begin = nullptr;
    io_uring_sqe* entry = nullptr;  // in that pass it may still be made longer
    std::unique_ptr<Rest> rest;
};

class Echo {
public:
    explicit Echo(const bench::Listening& listening)
        : buffers_(ring_.number()),
          peers_(kPeersMax),
          listener_(listening.socket),
          may_sleep_(!listening.is_busy) {
        ask_accept();
    }

    [[noreturn]] void serve() {
        for (;;) {
            ring_.enter(may_sleep_ && ripe_.empty());
            ++pass_;
            ring_.for_each_answer([this](const io_uring_cqe& answer) { look_at(answer); });
            if (!ripe_.empty() || !due_.empty()) send_what_is_due();
            buffers_.give_back();
        }
    }

private:
    // ── Requests ─────────────────────────────────────────────────────────────────────────────

    io_uring_sqe& ask(std::uint8_t operation, Asked what, int descriptor) {
        io_uring_sqe& entry = ring_.next();
        entry = {};
        entry.opcode = operation;
        entry.fd = descriptor;
        entry.user_data = name_of(what, descriptor);
        return entry;
    }
    io_uring_sqe& ask_send(Asked what, int peer, const std::byte* begin, std::size_t size) {
        io_uring_sqe& entry = ask(IORING_OP_SEND, what, peer);
        entry.addr = std::bit_cast<std::uintptr_t>(begin);
        entry.len = static_cast<std::uint32_t>(size);
        return entry;
    }
    void ask_accept() {
        io_uring_sqe& entry = ask(IORING_OP_ACCEPT, Asked::accept, listener_);
        entry.ioprio = IORING_ACCEPT_MULTISHOT;
        entry.accept_flags = SOCK_CLOEXEC;
    }
    void ask_receive(int peer) {
        io_uring_sqe& entry = ask(IORING_OP_RECV, Asked::receive, peer);
        entry.ioprio = IORING_RECV_MULTISHOT;
        entry.flags = IOSQE_BUFFER_SELECT;
    }
    void ask_waiting_send(int peer, const Rest& rest) {
        ask_send(Asked::waiting_send, peer, rest.sending.data(), rest.sending.size()).msg_flags =
            MSG_WAITALL | MSG_NOSIGNAL;
    }
    void ask_close(int peer) {
        peers_[index(peer)].rest.reset();
        ask(IORING_OP_CLOSE, Asked::close, peer).flags = IOSQE_CQE_SKIP_SUCCESS;
    }

    // ── Answers ──────────────────────────────────────────────────────────────────────────────

    void look_at(const io_uring_cqe& answer) {
        const int descriptor = static_cast<int>(answer.user_data);
        const auto what = static_cast<Asked>(answer.user_data >> 32U);
        if (what == Asked::receive && answer.res > 0) [[likely]] {
            return echo(descriptor, answer);
        }
        look_at_rare(what, descriptor, answer);
    }

    void echo(int descriptor, const io_uring_cqe& answer) {
        Peer& peer = peers_[index(descriptor)];
        const std::byte* const begin = buffers_.take(answer);
        const auto size = static_cast<std::uint32_t>(answer.res);
        if ((answer.flags & IORING_CQE_F_MORE) == 0) [[unlikely]] {
            ask_receive(descriptor);
        }
        if (peer.pass == pass_ || peer.rest) [[unlikely]] {
            return echo_more(descriptor, begin, size);
        }
        io_uring_sqe& entry = ask_send(Asked::silent_send, descriptor, begin, size);
        entry.flags = IOSQE_CQE_SKIP_SUCCESS;
        entry.msg_flags = kSilent;
        peer.pass = pass_;
        peer.size = size;
        peer.begin = begin;
        peer.entry = &entry;
    }

    // The second time in a pass, or behind something that waits.
    [[gnu::noinline]] void echo_more(int descriptor, const std::byte* begin, std::uint32_t size) {
        Peer& peer = peers_[index(descriptor)];
        if (!peer.rest && peer.begin + peer.size == begin) {
            peer.size += size;
            peer.entry->len = peer.size;
            return;
        }
        Rest& rest = rest_of(descriptor);
        rest.next.insert(rest.next.end(), begin, begin + size);
    }

    [[gnu::noinline]] void look_at_rare(Asked what, int descriptor, const io_uring_cqe& answer) {
        switch (what) {
            case Asked::accept:
                if (answer.res >= 0) welcome(answer.res);
                if ((answer.flags & IORING_CQE_F_MORE) == 0) ask_accept();
                break;
            case Asked::receive:
                if (answer.res == -ENOBUFS) return ask_receive(descriptor);
                end(descriptor);
                break;
            case Asked::silent_send: send_rest(descriptor, answer.res); break;
            case Asked::waiting_send: go_on(descriptor, answer.res); break;
            case Asked::close: break;
        }
    }

    void welcome(int descriptor) {
        require(index(descriptor) < kPeersMax, "too many connections");
        peers_[index(descriptor)] = {};
        ask_receive(descriptor);
    }

    // A send of this pass may still be refused.
    void end(int descriptor) {
        const Peer& peer = peers_[index(descriptor)];
        if (peer.rest == nullptr && peer.pass != pass_) return ask_close(descriptor);
        rest_of(descriptor).has_ended = true;
    }

    // A silent send took `result` bytes, or none.
    void send_rest(int descriptor, int result) {
        if (result < 0 && result != -EAGAIN) return ask_close(descriptor);
        Rest& rest = rest_of(descriptor);
        const Peer& peer = peers_[index(descriptor)];
        rest.sending.assign(peer.begin + (result > 0 ? result : 0), peer.begin + peer.size);
        ask_waiting_send(descriptor, rest);
    }

    void go_on(int descriptor, int result) {
        Rest& rest = *peers_[index(descriptor)].rest;
        const bool is_whole = result == static_cast<int>(rest.sending.size());
        rest.sending.clear();
        if (!is_whole) return ask_close(descriptor);
        send_next(descriptor, rest);
    }

    // ── What waits ───────────────────────────────────────────────────────────────────────────

    static std::size_t index(int descriptor) { return static_cast<std::size_t>(descriptor); }

    Rest& rest_of(int descriptor) {
        std::unique_ptr<Rest>& rest = peers_[index(descriptor)].rest;
        if (!rest) {
            rest = std::make_unique<Rest>();
            due_.push_back(descriptor);
        }
        return *rest;
    }

    void send_next(int descriptor, Rest& rest) {
        if (!rest.next.empty()) {
            std::swap(rest.sending, rest.next);
            ask_waiting_send(descriptor, rest);
        } else if (rest.has_ended) {
            ask_close(descriptor);
        } else {
            peers_[index(descriptor)].rest.reset();
        }
    }

    // Whether a silent send was taken is known one pass later, and nothing tells of success: while
    // something is ripe no pass waits.
    void send_what_is_due() {
        for (const int descriptor : ripe_) {
            Rest* const rest = peers_[index(descriptor)].rest.get();
            if (rest != nullptr && rest->sending.empty()) send_next(descriptor, *rest);
        }
        ripe_.swap(due_);
        due_.clear();
    }

    bench::BareRing ring_;
    bench::BareBuffers buffers_;
    std::vector<Peer> peers_;
    int listener_;
    bool may_sleep_;
    std::uint32_t pass_ = 0;
    std::vector<int> due_;   // began to wait in this pass
    std::vector<int> ripe_;  // in the one before
};

}  // namespace

int main(int argc, char** argv) { Echo(bench::open_as_told(argc, argv, SOCK_STREAM)).serve(); }
