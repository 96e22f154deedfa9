// SPDX-License-Identifier: MIT
//
// faulty_server: one run of an engine whose system calls pass the gate.
//
//     berth_faulty_server BOARD      BOARD: the number of a descriptor of shared memory
//
// Asks the machine what an engine may ask, starts on a TCP port and a Unix path, serves until
// SIGTERM, and writes down how it went. It prints nothing, and makes no system call of its own
// between the two marks.

#include "faults/server/gate.hpp"
#include "faults/server/machine.hpp"
#include "faults/server/service.hpp"

#include <berth/logger.hpp>
#include <berth/report.hpp>
#include <berth/run.hpp>

#include <signal.h>  // NOLINT(modernize-deprecated-headers): SIGTERM is POSIX, not C++
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace berth::test {
namespace {

class Silence final : public Logger {
public:
    void log(LogLevel, std::string_view) override {}
};

Board& map_board(int descriptor) {
    void* memory =
        ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    if (memory == MAP_FAILED) std::abort();
    return *static_cast<Board*>(memory);
}

std::size_t count_descriptors() {
    const std::filesystem::directory_iterator entries{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

// For those who read a trace: between two of these, every call is the library's.
void mark() { ::syscall(SYS_getppid); }

void note_report(Board& board, const StopReport& report) {
    board.outcome = report.outcome;
    board.exit_code = report.exit_code();
    board.written = report.bytes.written;
    board.acknowledged = report.bytes.acknowledged;
    board.discarded = report.bytes.discarded;
    board.unconfirmed = report.bytes.unconfirmed;
    for (const StopReport::Listener& listener : report.listeners) {
        if (listener.released) continue;
        ++board.not_released;
        board.cause.set(listener.cause);
    }
}

DriverKind driver_of(const Board& board) {
    return board.uses_uring ? DriverKind::uring : DriverKind::epoll;
}

void serve(Board& board) {
    Silence silence;
    Service service(board);
    const std::array addresses{std::string("tcp://127.0.0.1:0"),
                               "unix:" + std::string(board.path.text())};
    board.phase = Phase::starting;
    const auto stopped = berth::run(service, addresses,
                                    {.loops = 2,
                                     .driver = driver_of(board),
                                     .pin_loops = true,
                                     .linger = std::chrono::milliseconds{50},
                                     .drain = std::chrono::seconds{2},
                                     .logger = &silence},
                                    {.systemd = false});
    if (stopped.started()) return note_report(board, stopped.report());
    board.start_error.set(stopped.error());
}

// An engine that has ended before it is asked to does not watch the signal any more.
void survive_late_request() { ::signal(SIGTERM, SIG_IGN); }

void run(Board& board) {
    survive_late_request();
    board.process = ::getpid();
    board.descriptors_before = count_descriptors();
    mark();
    keep_gate(board);
    ask_machine(board);
    serve(board);
    mark();
    board.descriptors_after = count_descriptors();
    board.has_ended = true;
}

}  // namespace
}  // namespace berth::test

int main(int argc, char** argv) {
    if (argc != 2) return EXIT_FAILURE;
    berth::test::run(berth::test::map_board(std::atoi(argv[1])));
    return EXIT_SUCCESS;
}
