// SPDX-License-Identifier: MIT
//
// Privileges: capget(2) and capset(2), which libc does not wrap.

#include "support/privilege.hpp"

#include "support/raw_socket.hpp"

#include <linux/capability.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace berth::test {
namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

constexpr std::uint32_t kNetworkAdministrator = 1U << CAP_NET_ADMIN;

__user_cap_header_struct this_thread() {
    return {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
}

Sets sets() {
    Sets found{};
    auto header = this_thread();
    if (::syscall(SYS_capget, &header, found.data()) != 0) {
        throw std::system_error(errno, std::generic_category(), "capget");
    }
    return found;
}

void set_effective(std::uint32_t effective) {
    Sets wanted = sets();
    wanted[0].effective = effective;
    auto header = this_thread();
    if (::syscall(SYS_capset, &header, wanted.data()) != 0) {
        throw std::system_error(errno, std::generic_category(), "capset");
    }
}

}  // namespace

bool may_filter_tcp() {
    const OwnedDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sock_filter pass{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0xffff};
    const sock_fprog program{.len = 1, .filter = &pass};
    return ::setsockopt(socket.number(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) ==
           0;
}

NoNetworkAdministrator::NoNetworkAdministrator() : before_(sets()[0].effective) {
    set_effective(before_ & ~kNetworkAdministrator);
}

NoNetworkAdministrator::~NoNetworkAdministrator() { set_effective(before_); }

}  // namespace berth::test
