// SPDX-License-Identifier: MIT
//
// Activation: from three variables to a list of listeners.

#include "service/activation.hpp"

#include "driver/descriptor.hpp"
#include "engine/inherited_socket.hpp"
#include "os/calls.hpp"
#include "os/inherited.hpp"
#include "os/text.hpp"
#include "service/variables.hpp"

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::service {

namespace {

constexpr std::size_t kInheritedMax = 4096;  // more is not a list of listeners

Error bad_variables(const std::string& why) {
    return Error(ErrorCode::invalid_option, "adopt sockets").because(why);
}

// sd_listen_fds_with_names(3): names are separated by colons.
std::vector<std::string> split(std::string_view names) {
    std::vector<std::string> list;
    for (std::size_t end = 0; end != std::string_view::npos;) {
        end = names.find(':');
        list.emplace_back(names.substr(0, end));
        if (end != std::string_view::npos) names.remove_prefix(end + 1);
    }
    return list;
}

std::string_view problem_with(os::Inherited kind) {
    switch (kind) {
        case os::Inherited::listener: return {};
        case os::Inherited::connection: return "is a socket that does not listen";
        case os::Inherited::other_socket:
            return "is neither a listener of streams or packets nor a bound socket of datagrams";
        case os::Inherited::no_socket: return "is not a socket";
        case os::Inherited::not_open: return "is not open";
    }
    return "is not known";
}

std::string_view remedy_for(os::Inherited kind) {
    if (kind == os::Inherited::connection) return "set Accept=no in the socket unit";
    return "use ListenStream=, ListenDatagram= and ListenSequentialPacket= alone";
}

Error failed_at(int descriptor, const std::string& name, std::string_view problem) {
    return bad_variables("descriptor " + std::to_string(descriptor) + " (" + name +
                         ") of LISTEN_FDS " + std::string(problem));
}

Result<engine::InheritedSocket> adopt(int descriptor, const std::string& name) {
    const os::Inherited kind = os::kind_of_inherited(descriptor);
    if (kind != os::Inherited::listener) {
        return fail(
            failed_at(descriptor, name, problem_with(kind)).fix(std::string(remedy_for(kind))));
    }
    const auto endpoint = os::inherited_endpoint(descriptor);
    if (!endpoint) return fail(Error::from_errno("getsockname", endpoint.errno_value()));
    if (const auto made = os::make_ours(descriptor); !made) {
        return fail(Error::from_errno("ioctl", made.errno_value()));
    }
    return engine::InheritedSocket{
        .endpoint = *endpoint, .descriptor = driver::Descriptor{descriptor}, .name = name};
}

}  // namespace

Result<std::vector<std::string>> inherited_names(const Variables& variables) {
    if (variables.listen_pid != std::to_string(variables.process)) return {};
    const auto count = os::number_of<std::size_t>(variables.listen_fds);
    if (!count || *count > kInheritedMax) {
        return fail(bad_variables("LISTEN_FDS is '" + variables.listen_fds +
                                  "', which is not a number of sockets"));
    }
    if (variables.listen_fdnames.empty()) return std::vector<std::string>(*count, "unknown");
    auto names = split(variables.listen_fdnames);
    if (names.size() == *count) return names;
    return fail(bad_variables("LISTEN_FDNAMES has " + std::to_string(names.size()) + " names for " +
                              std::to_string(*count) + " sockets"));
}

Result<std::vector<engine::InheritedSocket>> inherited_sockets(const Variables& variables) {
    const auto names = inherited_names(variables);
    if (!names) return fail(names.error());
    std::vector<engine::InheritedSocket> sockets;
    int descriptor = kFirstInherited;
    for (const std::string& name : *names) {
        auto adopted = adopt(descriptor++, name);
        if (!adopted) return fail(std::move(adopted.error()));
        sockets.push_back(std::move(*adopted));
    }
    return sockets;
}

void close_outdated(std::vector<engine::InheritedSocket>& sockets,
                    std::span<const std::string> addresses) {
    if (addresses.empty()) return;
    const auto is_asked_for = [&](const engine::InheritedSocket& socket) {
        return std::ranges::any_of(addresses, [&](const std::string& address) {
            const auto asked = Endpoint::parse(address);
            return asked && engine::is_bound_as(socket.endpoint, *asked);
        });
    };
    std::erase_if(sockets, [&](const engine::InheritedSocket& socket) {
        const bool is_outdated = socket.name == kKeptName && !is_asked_for(socket);
        if (is_outdated) os::close(driver::number(socket.descriptor));
        return is_outdated;
    });
}

}  // namespace berth::service
