// SPDX-License-Identifier: MIT
//
// NotifyReceiver: a bound datagram socket.

#include "notify_receiver.hpp"

#include "eventually.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace berth::test {

NotifyReceiver::NotifyReceiver(const std::string& name)
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (name.starts_with('@')) address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    const auto* const bound = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(socket_.number(), bound, length) != 0) throw std::runtime_error("bind " + name);
}

std::string NotifyReceiver::receive_now() {
    std::array<char, 4096> bytes{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto count = ::recvmsg(socket_.number(), &message, MSG_CMSG_CLOEXEC);
    if (count <= 0) return {};
    if (const cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr) {
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(head), sizeof descriptor);
        attached_.emplace_back(descriptor);
    }
    return heard_.emplace_back(bytes.data(), static_cast<std::size_t>(count));
}

bool NotifyReceiver::hears(std::string_view text) {
    return eventually([&] { return receive_now().contains(text); });
}

}  // namespace berth::test
