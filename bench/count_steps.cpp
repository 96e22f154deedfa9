// SPDX-License-Identifier: MIT
//
// count_steps: how many instructions a running process executes, one single step after another.
//
//     count_steps PID
//
// Prints `counting` when every thread of the process is stepped, and, upon SIGTERM, how many
// instructions it was: of the program, and of the vDSO. valgrind knows no io_uring and runs one
// thread at a time; virtual machines often have no counters of the processor. A system call counts
// as one instruction, as does each round of a repeated string instruction. The process must not
// make threads meanwhile.
//
// The vDSO is apart because it is the kernel's: to read the clock takes 70 instructions or 160
// there, as the machine has it, and valgrind hides it.
//
// See:       ptrace(2), PTRACE_SINGLESTEP; vdso(7)

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

volatile std::sig_atomic_t ended = 0;

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

void step(pid_t thread, int signal) {
    // The thread may have ended; then there is nothing to be stepped.
    static_cast<void>(::ptrace(PTRACE_SINGLESTEP, thread, 0, signal));
}

// A worker of io_uring is listed as a thread, and runs nothing of the program.
bool is_of_the_kernel(const std::filesystem::path& task) {
    std::string name;
    std::ifstream(task / "comm") >> name;
    return name.starts_with("iou-");
}

std::vector<pid_t> seize(pid_t process) {
    std::vector<pid_t> threads;
    const std::string tasks = "/proc/" + std::to_string(process) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
        const pid_t thread = std::stoi(task.path().filename().string());
        if (is_of_the_kernel(task.path())) continue;
        if (::ptrace(PTRACE_SEIZE, thread, 0, 0) != 0) give_up("PTRACE_SEIZE");
        if (::ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0) give_up("PTRACE_INTERRUPT");
        threads.push_back(thread);
    }
    return threads;
}

// Where the kernel's own code lies in a process.
struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool contains(std::uint64_t address) const { return address >= begin && address < end; }
};

Range vdso_of(pid_t process) {
    std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
    for (std::string line; std::getline(maps, line);) {
        if (!line.ends_with("[vdso]")) continue;
        Range range;
        char dash = 0;
        std::istringstream(line) >> std::hex >> range.begin >> dash >> range.end;
        return range;
    }
    return {};
}

// Registers have other names on other processors.
template <class Registers>
std::uint64_t instruction_of(const Registers& registers) {
    if constexpr (requires { registers.rip; }) {
        return registers.rip;
    } else {
        return registers.pc;
    }
}

std::uint64_t instruction_of(pid_t thread) {
    user_regs_struct registers{};
    iovec room{.iov_base = &registers, .iov_len = sizeof registers};
    if (::ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &room) != 0) return 0;
    return instruction_of(registers);
}

bool is_event(int status) { return (status >> 16) != 0; }  // of PTRACE_INTERRUPT

bool has_signal_pending(pid_t thread) {
    siginfo_t signal{};
    __ptrace_peeksiginfo_args which{.off = 0, .flags = 0, .nr = 1};
    return ::ptrace(PTRACE_PEEKSIGINFO, thread, &which, &signal) > 0;
}

// The trap of a last step may still be on its way; it would end the process once it is let go.
void let_go(pid_t thread) {
    if (::ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0) return;  // it has ended
    for (;;) {
        int status = 0;
        if (::waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) return;
        if (is_event(status) && !has_signal_pending(thread)) break;
        ::ptrace(PTRACE_CONT, thread, 0, 0);
        if (!is_event(status)) ::ptrace(PTRACE_INTERRUPT, thread, 0, 0);
    }
    ::ptrace(PTRACE_DETACH, thread, 0, 0);
}

struct Counts {
    unsigned long long of_program = 0;
    unsigned long long of_vdso = 0;
};

// Steps every thread that stops, until SIGTERM. A wait for threads that sleep ends with it, too.
Counts count_steps(const Range& vdso) {
    Counts counts;
    while (ended == 0) {
        int status = 0;
        const pid_t thread = ::waitpid(-1, &status, __WALL);
        if (thread < 0 && errno == ECHILD) give_up("the process has ended");
        if (thread < 0 || !WIFSTOPPED(status)) continue;
        const bool is_step = WSTOPSIG(status) == SIGTRAP && !is_event(status);
        if (is_step) ++(vdso.contains(instruction_of(thread)) ? counts.of_vdso : counts.of_program);
        step(thread, is_step || is_event(status) ? 0 : WSTOPSIG(status));
    }
    return counts;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: count_steps PID\n", stderr);
        return 2;
    }
    struct sigaction action{};  // without SA_RESTART
    action.sa_handler = [](int) { ended = 1; };
    ::sigaction(SIGTERM, &action, nullptr);
    const pid_t process = std::atoi(argv[1]);
    const std::vector<pid_t> threads = seize(process);
    std::puts("counting");
    std::fflush(stdout);
    const Counts counts = count_steps(vdso_of(process));
    std::printf("%llu %llu\n", counts.of_program, counts.of_vdso);
    for (const pid_t thread : threads) let_go(thread);
}
