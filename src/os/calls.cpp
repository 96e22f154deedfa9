// SPDX-License-Identifier: MIT
//
// calls: the ones that are not on the path of a message.

#include "os/calls.hpp"

#include "base/outcome.hpp"
#include "os/raw_call.hpp"
#include "os/socket_address.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX, not C++
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/poll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

namespace berth::os {

namespace {

// The result of a call that answers -1 and errno.
template <class T, class Number>
Outcome<T> outcome(Number result) {
    if (result == -1) return base::failed(errno);
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return static_cast<T>(result);
    }
}

// Makes the call again for as long as signals interrupt it, signal(7).
template <class T, class Call>
Outcome<T> uninterrupted(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return outcome<T>(result);
    }
}

using NameCall = int (*)(int, sockaddr*, socklen_t*);

Outcome<SocketAddress> address_by(NameCall call, int socket) {
    SocketAddress address;
    if (call(socket, address.room(), address.room_length()) == -1) return base::failed(errno);
    return address;
}

Outcome<std::size_t> output_bytes(int socket, unsigned long request) {
    int count = 0;
    if (::ioctl(socket, request, &count) == -1) return base::failed(errno);
    return static_cast<std::size_t>(count);
}

}  // namespace

long send_slices(int socket, std::span<const Bytes> slices) {
    std::array<iovec, kSlicesMax> parts;
    const std::size_t count = std::min(slices.size(), parts.size());
    std::transform(
        slices.begin(), slices.begin() + static_cast<std::ptrdiff_t>(count), parts.begin(),
        [](Bytes slice) { return iovec{const_cast<std::byte*>(slice.data()), slice.size()}; });
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    return raw_call(SYS_sendmsg, socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// ── Sockets ──────────────────────────────────────────────────────────────────────────────────

Outcome<int> open_socket(int family, int type) {
    return outcome<int>(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Outcome<void> bind(int socket, const SocketAddress& address) {
    return outcome<void>(::bind(socket, address.data(), address.length()));
}

Outcome<void> listen(int socket, int backlog) { return outcome<void>(::listen(socket, backlog)); }

// Not repeated after EINTR: the kernel goes on connecting, connect(2).
Outcome<void> connect(int socket, const SocketAddress& address) {
    return outcome<void>(::connect(socket, address.data(), address.length()));
}

Outcome<void> set_option(int socket, OptionName option, int value) {
    return outcome<void>(::setsockopt(socket, option.level, option.name, &value, sizeof value));
}

Outcome<void> set_linger(int socket, int seconds) {
    const linger value{.l_onoff = 1, .l_linger = seconds};
    return outcome<void>(::setsockopt(socket, SOL_SOCKET, SO_LINGER, &value, sizeof value));
}

Outcome<int> option(int socket, OptionName option) {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(socket, option.level, option.name, &value, &size) == -1) {
        return base::failed(errno);
    }
    return value;
}

Outcome<SocketAddress> local_address(int socket) { return address_by(::getsockname, socket); }

Outcome<SocketAddress> peer_address(int socket) { return address_by(::getpeername, socket); }

Outcome<void> shutdown(int socket, Shutdown what) {
    return outcome<void>(::shutdown(socket, what == Shutdown::both ? SHUT_RDWR : SHUT_WR));
}

Outcome<std::size_t> unacknowledged_bytes(int socket) { return output_bytes(socket, SIOCOUTQ); }

Outcome<std::size_t> never_sent_bytes(int socket) { return output_bytes(socket, SIOCOUTQNSD); }

// ── Descriptors ──────────────────────────────────────────────────────────────────────────────

// Not repeated after EINTR: Linux has released the number, and it may be someone else's by now.
void close(int descriptor) { ::close(descriptor); }

Outcome<int> open_epoll() { return outcome<int>(::epoll_create1(EPOLL_CLOEXEC)); }

Outcome<void> control_epoll(int epoll, int operation, int descriptor, epoll_event event) {
    return outcome<void>(::epoll_ctl(epoll, operation, descriptor, &event));
}

Outcome<int> open_eventfd() { return outcome<int>(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

Outcome<bool> wait_readable(int descriptor, Duration timeout) {
    const bool for_ever = timeout == kNever;
    const Duration end = for_ever ? kNever : monotonic_time() + timeout;
    return uninterrupted<bool>([&] {
        pollfd watched{.fd = descriptor, .events = POLLIN, .revents = 0};
        return ::poll(&watched, 1,
                      timeout_milliseconds(for_ever ? kNever : end - monotonic_time()));
    });
}

std::size_t descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);  // its errors are bad arguments only
    return limit.rlim_cur;
}

Outcome<std::size_t> count_open_descriptors() {
    const std::unique_ptr<DIR, int (*)(DIR*)> listing{::opendir("/proc/self/fd"), ::closedir};
    if (!listing) return base::failed(errno);
    std::size_t entries = 0;
    while (::readdir(listing.get()) != nullptr) ++entries;
    constexpr std::size_t kNotCounted = 3;  // "." and "..", and the listing's own descriptor
    return entries - kNotCounted;
}

// ── Files ────────────────────────────────────────────────────────────────────────────────────

Outcome<FileFacts> file_facts(const std::string& path) {
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) == -1) return base::failed(errno);
    return FileFacts{
        .is_socket = S_ISSOCK(facts.st_mode), .device = facts.st_dev, .inode = facts.st_ino};
}

Outcome<void> unlink(const std::string& path) { return outcome<void>(::unlink(path.c_str())); }

Outcome<int> open_directory(const std::string& path) {
    return uninterrupted<int>(
        [&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
}

Outcome<void> lock_exclusively(int descriptor) {
    return uninterrupted<void>([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); });
}

// ── The process and its machine ──────────────────────────────────────────────────────────────

Outcome<SignalAction> set_signal_action(int signal, const SignalAction& action) {
    SignalAction previous{};
    if (::sigaction(signal, &action, &previous) == -1) return base::failed(errno);
    return previous;
}

Outcome<std::size_t> count_affinity_cpus() {
    // The kernel refuses a set that is smaller than its own; grow until it fits.
    constexpr int kCpusMax = 1 << 20;
    for (int cpus = CPU_SETSIZE; cpus <= kCpusMax; cpus *= 2) {
        const auto size = CPU_ALLOC_SIZE(cpus);
        const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set{
            CPU_ALLOC(cpus), [](cpu_set_t* memory) { CPU_FREE(memory); }};
        if (::sched_getaffinity(0, size, set.get()) == 0) {
            return static_cast<std::size_t>(CPU_COUNT_S(size, set.get()));
        }
        if (errno != EINVAL) break;
    }
    return base::failed(errno);
}

Outcome<std::uint64_t> random_number() {
    std::uint64_t number = 0;
    const auto got = uninterrupted<std::size_t>(
        [&] { return ::getrandom(&number, sizeof number, GRND_NONBLOCK); });
    if (!got) return base::failed(got.errno_value());
    return number;
}

Outcome<std::uint32_t> interface_index(const std::string& name) {
    const unsigned index = ::if_nametoindex(name.c_str());
    if (index == 0) return base::failed(errno);
    return index;
}

Outcome<std::string> interface_name(std::uint32_t index) {
    std::array<char, IF_NAMESIZE> name{};
    if (::if_indextoname(index, name.data()) == nullptr) return base::failed(errno);
    return std::string{name.data()};
}

}  // namespace berth::os
