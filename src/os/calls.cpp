// SPDX-License-Identifier: MIT
//
// calls: the ones that are not on the path of a message.

#include "os/calls.hpp"

#include "base/outcome.hpp"
#include "os/call_outcome.hpp"
#include "os/owned_descriptor.hpp"
#include "os/raw_call.hpp"
#include "os/returns.hpp"
#include "os/socket_address.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <fcntl.h>
#include <linux/limits.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX, not C++
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace berth::os {

namespace {

Outcome<SocketAddress> address_by(Call call, int socket) {
    SocketAddress address;
    const long result = raw_call(call, socket, address.room(), address.room_length());
    if (result < 0) return base::failed(static_cast<int>(-result));
    return address;
}

Outcome<void> set_option_to(int socket, OptionName option, const auto& value) {
    return outcome<void>(
        raw_call(Call::set_option, socket, option.level, option.name, &value, sizeof value));
}

Outcome<std::size_t> output_bytes(int socket, unsigned long request) {
    int count = 0;
    const long result = raw_call(Call::ioctl, socket, request, &count);
    if (result < 0) return base::failed(static_cast<int>(-result));
    return static_cast<std::size_t>(count);
}

// Asked through a socket of any kind, netdevice(7).
Outcome<void> ask_interface(unsigned long request, ifreq& question) {
    const auto opened = open_socket(AF_UNIX, SOCK_DGRAM);
    if (!opened) return base::failed(opened.errno_value());
    const OwnedDescriptor socket{*opened};
    return outcome<void>(raw_call(Call::ioctl, socket.number(), request, &question));
}

Outcome<int> open_to_read(const std::string& path, int flags) {
    return uninterrupted<int>(Call::open, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC | flags);
}

}  // namespace

BERTH_RETURNS_BY_JUMP long send_slices(int socket, std::span<const Bytes> slices) {
    std::array<iovec, kSlicesMax> parts;
    const std::size_t count = std::min(slices.size(), parts.size());
    std::transform(
        slices.begin(), slices.begin() + static_cast<std::ptrdiff_t>(count), parts.begin(),
        [](Bytes slice) { return iovec{const_cast<std::byte*>(slice.data()), slice.size()}; });
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    return raw_call(Call::send_slices, socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// ── Sockets ──────────────────────────────────────────────────────────────────────────────────

Outcome<int> open_socket(int family, int type, int protocol) {
    return outcome<int>(
        raw_call(Call::socket, family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

Outcome<void> bind(int socket, const SocketAddress& address) {
    return outcome<void>(raw_call(Call::bind, socket, address.data(), address.length()));
}

Outcome<void> listen(int socket, int backlog) {
    return outcome<void>(raw_call(Call::listen, socket, backlog));
}

// Not repeated after EINTR: the kernel goes on connecting, connect(2).
Outcome<void> connect(int socket, const SocketAddress& address) {
    return outcome<void>(raw_call(Call::connect, socket, address.data(), address.length()));
}

Outcome<void> disconnect(int socket) {
    const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
    return outcome<void>(raw_call(Call::connect, socket, &nobody, sizeof nobody));
}

Outcome<void> set_option(int socket, OptionName option, int value) {
    return set_option_to(socket, option, value);
}

Outcome<void> set_linger(int socket, int seconds) {
    return set_option_to(socket, kLinger, linger{.l_onoff = 1, .l_linger = seconds});
}

Outcome<int> option(int socket, OptionName option) {
    int value = 0;
    socklen_t size = sizeof value;
    const long result = raw_call(Call::option, socket, option.level, option.name, &value, &size);
    if (result < 0) return base::failed(static_cast<int>(-result));
    return value;
}

Outcome<SocketAddress> local_address(int socket) { return address_by(Call::local_address, socket); }

Outcome<SocketAddress> peer_address(int socket) { return address_by(Call::peer_address, socket); }

Outcome<void> shutdown(int socket, Shutdown what) {
    return outcome<void>(
        raw_call(Call::shutdown, socket, what == Shutdown::both ? SHUT_RDWR : SHUT_WR));
}

Outcome<Credentials> peer_credentials(int socket) {
    Credentials peer{};
    socklen_t size = sizeof peer;
    const auto got =
        outcome<void>(raw_call(Call::option, socket, SOL_SOCKET, SO_PEERCRED, &peer, &size));
    if (!got) return base::failed(got.errno_value());
    return peer;
}

Outcome<std::size_t> unacknowledged_bytes(int socket) { return output_bytes(socket, SIOCOUTQ); }

Outcome<std::size_t> never_sent_bytes(int socket) { return output_bytes(socket, SIOCOUTQNSD); }

// ── Descriptors ──────────────────────────────────────────────────────────────────────────────

// Not repeated after EINTR: Linux has released the number, and it may be someone else's by now.
void close(int descriptor) { raw_call(Call::close, descriptor); }

Outcome<int> open_epoll() { return outcome<int>(raw_call(Call::epoll_create, EPOLL_CLOEXEC)); }

Outcome<void> control_epoll(int epoll, int operation, int descriptor, epoll_event event) {
    return outcome<void>(raw_call(Call::epoll_control, epoll, operation, descriptor, &event));
}

Outcome<int> open_eventfd() {
    return outcome<int>(raw_call(Call::eventfd, 0, EFD_NONBLOCK | EFD_CLOEXEC));
}

// EAGAIN: nobody had raised it.
void lower_eventfd(int eventfd) {
    std::uint64_t count = 0;
    raw_call(Call::read, eventfd, &count, sizeof count);
}

// The kernel keeps in `left` what is left of the time, so that it may be asked again.
Outcome<std::size_t> wait_readable(std::span<pollfd> watched, Duration timeout) {
    constexpr Duration kLongest = std::chrono::hours{24 * 365};  // what a timespec surely holds
    const Duration bounded = std::clamp(timeout, Duration::zero(), kLongest);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(bounded);
    timespec left{.tv_sec = seconds.count(), .tv_nsec = (bounded - seconds).count()};
    return uninterrupted<std::size_t>(Call::wait, watched.data(), watched.size(),
                                      timeout == kNever ? nullptr : &left, nullptr, 0);
}

Outcome<int> duplicate(int descriptor) {
    constexpr int kLowest = 3;  // never one of the standard streams
    return outcome<int>(raw_call(Call::duplicate, descriptor, F_DUPFD_CLOEXEC, kLowest));
}

Outcome<std::uint64_t> inode_of(int descriptor) {
    struct stat facts{};
    const long result = raw_call(Call::file_facts, descriptor, "", &facts, AT_EMPTY_PATH);
    if (result < 0) return base::failed(static_cast<int>(-result));
    return facts.st_ino;
}

std::size_t descriptor_limit() {
    rlimit limit{};
    raw_call(Call::limit, 0, RLIMIT_NOFILE, nullptr, &limit);  // its errors are bad arguments only
    return limit.rlim_cur;
}

// ── Files ────────────────────────────────────────────────────────────────────────────────────

Outcome<FileFacts> file_facts(const std::string& path) {
    struct stat facts{};
    const long result =
        raw_call(Call::file_facts, AT_FDCWD, path.c_str(), &facts, AT_SYMLINK_NOFOLLOW);
    if (result < 0) return base::failed(static_cast<int>(-result));
    return FileFacts{
        .is_socket = S_ISSOCK(facts.st_mode), .device = facts.st_dev, .inode = facts.st_ino};
}

Outcome<void> unlink(const std::string& path) {
    return outcome<void>(raw_call(Call::unlink, AT_FDCWD, path.c_str(), 0));
}

Outcome<void> rename(const std::string& from, const std::string& to) {
    return outcome<void>(raw_call(Call::rename, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0));
}

Outcome<void> permit(const std::string& path, std::uint32_t mode) {
    return outcome<void>(raw_call(Call::permit, AT_FDCWD, path.c_str(), mode));
}

Outcome<std::string> read_link(int directory, const std::string& path) {
    std::array<char, PATH_MAX> room;
    const auto size = outcome<std::size_t>(
        raw_call(Call::read_link, directory, path.c_str(), room.data(), room.size()));
    if (!size) return base::failed(size.errno_value());
    return std::string{room.data(), *size};
}

Outcome<std::string> read_link(const std::string& path) { return read_link(AT_FDCWD, path); }

Outcome<int> open_directory(const std::string& path) { return open_to_read(path, O_DIRECTORY); }

Outcome<void> lock_exclusively(int descriptor) {
    return uninterrupted<void>(Call::lock, descriptor, LOCK_EX | LOCK_NB);
}

Outcome<std::string> read_file(const std::string& path) {
    const auto opened = open_to_read(path, 0);
    if (!opened) return base::failed(opened.errno_value());
    const OwnedDescriptor file{*opened};
    constexpr std::size_t kRoom = 4096;
    std::array<char, kRoom> room;
    std::string text;
    for (;;) {
        const auto count =
            uninterrupted<std::size_t>(Call::read, file.number(), room.data(), room.size());
        if (!count) return base::failed(count.errno_value());
        if (*count == 0) return text;
        text.append(room.data(), *count);
    }
}

// ── The process and its machine ──────────────────────────────────────────────────────────────

std::int64_t process_id() { return raw_call(Call::process_id); }

std::int64_t thread_id() { return raw_call(Call::thread_id); }

std::uint32_t user_id() { return static_cast<std::uint32_t>(raw_call(Call::user_id)); }

Outcome<SignalAction> set_signal_action(int signal, const SignalAction& action) {
    SignalAction previous{};
    if (::sigaction(signal, &action, &previous) == -1) return base::failed(errno);
    return previous;
}

namespace {

std::vector<unsigned> members(const cpu_set_t* set, std::size_t size) {
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; cpu < 8 * size; ++cpu) {
        if (CPU_ISSET_S(cpu, size, set)) cpus.push_back(cpu);
    }
    return cpus;
}

}  // namespace

Outcome<std::vector<unsigned>> affinity_cpus() {
    // The kernel refuses a set that is smaller than its own; grow until it fits.
    constexpr int kCpusMax = 1 << 20;
    int errno_value = EINVAL;
    for (int cpus = CPU_SETSIZE; cpus <= kCpusMax && errno_value == EINVAL; cpus *= 2) {
        const auto size = CPU_ALLOC_SIZE(cpus);
        const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set{
            CPU_ALLOC(cpus), [](cpu_set_t* memory) { CPU_FREE(memory); }};
        CPU_ZERO_S(size, set.get());  // the kernel fills in no more than it knows of
        const auto filled = outcome<std::size_t>(raw_call(Call::affinity, 0, size, set.get()));
        if (filled) return members(set.get(), size);
        errno_value = filled.errno_value();
    }
    return base::failed(errno_value);
}

Outcome<void> run_on_cpu(unsigned cpu) {
    const auto size = CPU_ALLOC_SIZE(cpu + 1);
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set{
        CPU_ALLOC(cpu + 1), [](cpu_set_t* memory) { CPU_FREE(memory); }};
    CPU_ZERO_S(size, set.get());
    CPU_SET_S(cpu, size, set.get());
    return outcome<void>(raw_call(Call::set_affinity, 0, size, set.get()));
}

Outcome<void> name_thread(const std::string& name) {
    return outcome<void>(raw_call(Call::control_thread, PR_SET_NAME, name.c_str()));
}

Outcome<std::uint64_t> random_number() {
    std::uint64_t number = 0;
    const auto got =
        uninterrupted<std::size_t>(Call::random, &number, sizeof number, GRND_NONBLOCK);
    if (!got) return base::failed(got.errno_value());
    return number;
}

Outcome<std::uint32_t> interface_index(const std::string& name) {
    ifreq question{};
    if (name.size() >= IFNAMSIZ) return base::failed(ENODEV);
    name.copy(question.ifr_name, IFNAMSIZ - 1);
    const auto asked = ask_interface(SIOCGIFINDEX, question);
    if (!asked) return base::failed(asked.errno_value());
    return static_cast<std::uint32_t>(question.ifr_ifindex);
}

Outcome<std::string> interface_name(std::uint32_t index) {
    ifreq question{};
    question.ifr_ifindex = static_cast<int>(index);
    const auto asked = ask_interface(SIOCGIFNAME, question);
    if (!asked) return base::failed(asked.errno_value());
    return std::string{question.ifr_name};
}

}  // namespace berth::os
