// SPDX-License-Identifier: MIT
//
// gate: the fault itself, and what a kernel would do after it.

#include "faults/server/gate.hpp"

#include "os/raw_call.hpp"

#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace berth::test {
namespace {

using os::Call;
using os::Registers;

Board* the_board = nullptr;
std::atomic<std::uint64_t> candidates = 0;  // calls so far that the fault could have struck
std::atomic<long> broken_ring = -1;         // a descriptor that is no ring any more

// What each descriptor was registered with. Written and read by the thread of its loop.
struct Registration {
    int epoll = -1;
    epoll_event event{};
};
constexpr std::size_t kDescriptorsMax = 1024;
std::array<Registration, kDescriptorsMax> registrations;

template <class T>
T* memory_at(long word) {
    return std::bit_cast<T*>(word);
}

void remember_registration(const Registers& registers) {
    const auto descriptor = static_cast<std::size_t>(registers[2]);
    if (registers[1] != EPOLL_CTL_ADD || descriptor >= kDescriptorsMax) return;
    registrations[descriptor] = {.epoll = static_cast<int>(registers[0]),
                                 .event = *memory_at<const epoll_event>(registers[3])};
}

// A kernel that has answered EAGAIN, or taken or given less than there was room for, makes an
// edge as soon as it is able again. It is able already, so the edge is made now (epoll_ctl(2)).
void make_edge(int descriptor) {
    const auto index = static_cast<std::size_t>(descriptor);
    if (index >= kDescriptorsMax || registrations[index].epoll < 0) return;
    epoll_event event = registrations[index].event;
    ::epoll_ctl(registrations[index].epoll, EPOLL_CTL_MOD, descriptor, &event);
}

int descriptor_of(Call call, const Registers& registers) {
    return static_cast<int>(registers[call == Call::epoll_control ? 2 : 0]);
}

std::string ip_text(const sockaddr_in& address) {
    std::array<char, INET_ADDRSTRLEN> host{};
    ::inet_ntop(AF_INET, &address.sin_addr, host.data(), host.size());
    return "tcp://" + std::string(host.data()) + ":" + std::to_string(ntohs(address.sin_port));
}

std::string unix_text(const sockaddr_un& address, std::size_t size) {
    constexpr std::size_t kStart = offsetof(sockaddr_un, sun_path);
    if (size <= kStart) return "unix:";
    std::string name(address.sun_path, size - kStart);
    if (name[0] != '\0') return "unix://" + std::string(name.c_str());
    name[0] = '@';
    return "unix:" + name;
}

template <class Form>
Form form_of(const sockaddr_storage& address) {
    Form form{};
    std::memcpy(&form, &address, sizeof form);
    return form;
}

// As Connection::peer_endpoint prints it; empty if the descriptor is no connection.
std::string peer_text(int descriptor) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
    if (peer.ss_family == AF_INET) return ip_text(form_of<sockaddr_in>(peer));
    if (peer.ss_family == AF_UNIX) return unix_text(form_of<sockaddr_un>(peer), size);
    return {};  // netlink: the kernel
}

// A ring is asked for less by those who asked for too much only: incremental buffers are new. To
// enable one takes nothing.
bool cannot_fail_to_register(const Registers& registers) {
    if (registers[1] == IORING_REGISTER_ENABLE_RINGS) return true;
    if (the_board->fault.outcome.errno_value != EINVAL) return false;
    return registers[1] != IORING_REGISTER_PBUF_RING ||
           memory_at<const io_uring_buf_reg>(registers[2])->pad == 0;
}

// Where entries were submitted, their number is the answer, whatever became of the wait; and with
// none there is nothing that memory would be needed for.
bool cannot_fail_to_enter(const Registers& registers) {
    const bool submits = registers[1] > 0;
    const bool waits = registers[2] > 0;
    switch (the_board->fault.outcome.errno_value) {
        case EAGAIN: return !submits;
        case EINTR: return submits || !waits;
        case EBUSY: return submits || (registers[3] & IORING_ENTER_GETEVENTS) == 0;
        default: return false;
    }
}

// For a call with these arguments the fault is not plausible: nothing in SO_LINGER could fail, and
// no signal interrupts an epoll_wait that does not wait.
bool cannot_fail(Call call, const Registers& registers) {
    switch (call) {
        case Call::set_option: return registers[1] == SOL_SOCKET && registers[2] == SO_LINGER;
        case Call::epoll_wait:
            return registers[3] == 0 && the_board->fault.outcome.errno_value == EINTR;
        case Call::ring_register: return cannot_fail_to_register(registers);
        case Call::ring_enter: return cannot_fail_to_enter(registers);
        default: return false;
    }
}

bool transfers_bytes(Call call) {
    return call == Call::receive || call == Call::send || call == Call::send_slices;
}

void shorten(Call call, Registers& registers) {
    if (call != Call::send_slices) {
        registers[2] = std::min(registers[2], 1L);
        return;
    }
    auto& message = *memory_at<msghdr>(registers[1]);
    message.msg_iovlen = 1;
    message.msg_iov->iov_len = std::min<std::size_t>(message.msg_iov->iov_len, 1);
}

std::optional<long> strike(Call call, Registers& registers) {
    const Outcome& outcome = the_board->fault.outcome;
    const int descriptor = descriptor_of(call, registers);
    the_board->reached_in = the_board->phase;
    the_board->touched.set(peer_text(descriptor));
    the_board->is_reached = true;
    if (transfers_bytes(call) && outcome.harm != Harm::connection) make_edge(descriptor);
    if (call == Call::ring_enter && outcome.harm == Harm::engine) broken_ring = descriptor;
    if (outcome.errno_value != kShort) return -outcome.errno_value;
    shorten(call, registers);
    return std::nullopt;
}

}  // namespace

void keep_gate(Board& kept) { the_board = &kept; }

}  // namespace berth::test

std::optional<long> berth::os::gate(Call call, Registers& registers) {
    using namespace berth::test;
    if (the_board == nullptr) return std::nullopt;
    const std::size_t row = index_of(call);
    if (row == kCalls.size()) {
        the_board->defect.set("a system call that tests/faults/call_table.hpp does not list");
        return std::nullopt;
    }
    if (call == Call::epoll_control) remember_registration(registers);
    ++the_board->made[row];
    if (call == Call::ring_enter && broken_ring == registers[0]) {
        return -the_board->fault.outcome.errno_value;
    }
    if (the_board->fault.call != call || cannot_fail(call, registers)) return std::nullopt;
    return ++candidates == the_board->fault.nth ? strike(call, registers) : std::nullopt;
}
