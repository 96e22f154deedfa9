// SPDX-License-Identifier: MIT
//
// Run: the process, and the visit of the guests.

#include "faults/judge/run.hpp"

#include "faults/script.hpp"
#include "support/eventually.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX, not C++
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace berth::test {
namespace {

constexpr std::chrono::seconds kBound{5};  // from the request to stop to the end of the process

[[noreturn]] void refuse(const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
}

// ── The process ──────────────────────────────────────────────────────────────────────────────

class Process {
public:
    Process(const ServerCommand& command, int board) {
        const std::string number = std::to_string(board);
        std::vector<char*> words;
        words.reserve(command.prefix.size() + 3);
        for (const std::string& word : command.prefix)
            words.push_back(const_cast<char*>(word.data()));
        words.push_back(const_cast<char*>(command.program.data()));
        words.push_back(const_cast<char*>(number.data()));
        words.push_back(nullptr);
        if (::posix_spawnp(&id_, words[0], nullptr, nullptr, words.data(), environ) != 0) {
            refuse("posix_spawn");
        }
        watch_ = OwnedDescriptor{static_cast<int>(::syscall(SYS_pidfd_open, id_, 0))};
        if (watch_.number() < 0) refuse("pidfd_open");
    }

    bool has_ended() const { return ends_within(std::chrono::milliseconds{0}); }

    ProcessEnd end_within(std::chrono::milliseconds bound, pid_t server) const {
        ProcessEnd end{.in_time = ends_within(bound)};
        if (!end.in_time) {
            ::kill(server > 0 ? server : id_, SIGKILL);
            ::kill(id_, SIGKILL);
        }
        int status = 0;
        ::waitpid(id_, &status, 0);
        end.by_itself = WIFEXITED(status);
        end.status = end.by_itself ? WEXITSTATUS(status) : WTERMSIG(status);
        return end;
    }

private:
    bool ends_within(std::chrono::milliseconds bound) const {
        pollfd watched{.fd = watch_.number(), .events = POLLIN, .revents = 0};
        return ::poll(&watched, 1, static_cast<int>(bound.count())) > 0;
    }

    pid_t id_ = 0;
    OwnedDescriptor watch_;
};

// ── The place ────────────────────────────────────────────────────────────────────────────────

// A socket that a dead server left behind. While this holds it, no new file gets its number.
class StaleSocket {
public:
    explicit StaleSocket(const std::string& path) {
        const OwnedDescriptor dead{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        sockaddr_un form{};
        form.sun_family = AF_UNIX;
        path.copy(form.sun_path, sizeof form.sun_path - 1);
        if (::bind(dead.number(), reinterpret_cast<const sockaddr*>(&form), sizeof form) != 0) {
            refuse("bind");
        }
        file_ = OwnedDescriptor{::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
        if (file_.number() < 0) refuse("open");
        inode_ = *inode_at(path);
    }

    ino_t inode() const { return inode_; }
    static std::optional<ino_t> inode_at(const std::string& path) {
        struct stat facts{};
        if (::lstat(path.c_str(), &facts) != 0) return std::nullopt;
        return facts.st_ino;
    }

private:
    OwnedDescriptor file_;
    ino_t inode_ = 0;
};

bool can_bind(int port) {
    const OwnedDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const int yes = 1;
    ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in form{};
    form.sin_family = AF_INET;
    form.sin_port = htons(static_cast<std::uint16_t>(port));
    form.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&form), sizeof form) == 0;
}

// ── The visit ────────────────────────────────────────────────────────────────────────────────

class Visit {
public:
    Visit(Board& board, const Process& server, Stop stop)
        : board_(board), server_(server), stop_(stop) {}

    // From the first guest to the request to stop, and the farewells.
    void take(RunResult& result) {
        if (!eventually([&] { return board_.phase == Phase::serving || server_.has_ended(); }) ||
            server_.has_ended()) {
            return;
        }
        tcp_ = static_cast<std::uint16_t>(board_.port);
        unix_ = board_.path.text();
        talk();
        ask_to_stop();
        part();
        result.guests = std::move(guests_);
        result.dials = std::move(dials_);
    }

private:
    // Guests of Unix come to the loops in turn: the fourth one (a dial is among them) to the
    // loop that accepts them, which `holder` holds.
    void talk() {
        echo_ = add(Guest::tcp("echo", tcp_));
        exchange(echo_, "e" + pattern(3000));
        half_ = add(Guest::unix("half", unix_));
        exchange(half_, "e half-close");
        long_ = add(Guest::unix("long", unix_));
        exchange(long_, "e" + pattern(kLongEcho));
        const auto big = add(Guest::tcp("big", tcp_, Guest::Manner::small_buffer));
        guests_[big].say("cB");
        guests_[big].expect(pattern(kBigAnswer));
        boss_ = add(Guest::tcp("boss", tcp_));
        guests_[boss_].say("c");
        dial("D");
        guests_[boss_].say("T");
        guests_[boss_].expect("t");
        dial("U");
        part_early(big);
    }

    void dial(std::string_view command) {
        guests_[boss_].say(command);
        dials_.push_back(guests_[boss_].expect_one_of("yn"));
    }

    void part_early(std::size_t big) {
        guests_[big].end();
        guests_[big].expect_end(Ended::by_fin);
        const auto quitter = add(Guest::tcp("quitter", tcp_));
        guests_[quitter].say("cQ");
        guests_[quitter].expect("bye");
        guests_[quitter].expect_end(Ended::by_fin);
        guests_[quitter].leave();
        const auto rude = add(Guest::tcp("rude", tcp_));
        exchange(rude, "e until I reset");
        guests_[rude].reset();
        guests_[half_].end();
        guests_[half_].expect_end(Ended::by_fin);
    }

    // Somebody comes in the last moment, while the loop that could accept it is held.
    void ask_to_stop() {
        if (stop_ == Stop::forced) {
            stayer_ = add(Guest::tcp("stayer", tcp_, Guest::Manner::small_buffer));
            guests_[stayer_].say("cNB");
            guests_[stayer_].expect(pattern(kBigAnswer).substr(0, 1));
        }
        holder_ = add(Guest::unix("holder", unix_));
        guests_[holder_].say("cZ");
        if (guests_[holder_].is_content()) {
            static_cast<void>(eventually([&] { return board_.is_held || server_.has_ended(); }));
        }
        late_ = add(Guest::unix("late", unix_));
        guests_[late_].say("e in the last moment");
        board_.phase = Phase::stopping;
        if (!server_.has_ended()) ::kill(board_.process, SIGTERM);
    }

    void part() {
        guests_[holder_].expect("z");
        guests_[late_].expect("e in the last moment");
        for (const std::size_t guest : {echo_, long_, boss_, holder_, late_}) {
            guests_[guest].expect_end(Ended::by_fin);
            guests_[guest].leave();
        }
        if (stop_ == Stop::graceful) return;
        static_cast<void>(eventually([&] { return server_.has_ended(); }));
        guests_[stayer_].expect_end(Ended::by_reset);
    }

    std::size_t add(Guest guest) {
        guests_.push_back(std::move(guest));
        return guests_.size() - 1;
    }

    void exchange(std::size_t guest, std::string_view bytes) {
        guests_[guest].say(bytes);
        guests_[guest].expect(bytes);
    }

    Board& board_;
    const Process& server_;
    Stop stop_;
    std::uint16_t tcp_ = 0;
    std::string_view unix_;
    std::vector<Guest> guests_;
    std::size_t echo_ = 0, half_ = 0, long_ = 0, boss_ = 0, holder_ = 0, late_ = 0, stayer_ = 0;
    std::string dials_;
};

}  // namespace

// ── The board ────────────────────────────────────────────────────────────────────────────────

SharedBoard::SharedBoard() : descriptor_(::memfd_create("berth-faults", 0)) {
    if (descriptor_ < 0 || ::ftruncate(descriptor_, sizeof(Board)) != 0) refuse("memfd_create");
    void* memory =
        ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    if (memory == MAP_FAILED) refuse("mmap");
    board_ = new (memory) Board;
}

SharedBoard::~SharedBoard() {
    ::munmap(board_, sizeof(Board));
    ::close(descriptor_);
}

Board& SharedBoard::fresh() { return *(board_ = new (board_) Board); }

// ── The run ──────────────────────────────────────────────────────────────────────────────────

RunResult run_once(const ServerCommand& command, SharedBoard& shared, const Fault& fault,
                   Stop stop) {
    const TempDir directory;
    const std::string path = directory.file("socket");
    const StaleSocket stale(path);
    Board& board = shared.fresh();
    board.fault = fault;
    board.uses_uring = command.uses_uring;
    board.path.set(path);

    const Process server(command, shared.descriptor());
    RunResult result;
    Visit(board, server, stop).take(result);
    result.process = server.end_within(kBound, board.process);
    result.port_is_free = board.port == 0 || can_bind(board.port);
    const auto left = StaleSocket::inode_at(path);
    result.has_path = left.has_value();
    result.path_is_ours = left && *left != stale.inode();
    return result;
}

}  // namespace berth::test
