// SPDX-License-Identifier: MIT
//
// UnixNames: one map for paths and abstract names; the latter begin with @.

#include "driver/sim/unix_names.hpp"

#include "base/outcome.hpp"
#include "driver/system.hpp"

#include <berth/endpoint.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

namespace berth::driver::sim {

namespace {

constexpr std::uint64_t kDevice = 1;

bool is_abstract(const std::string& name) { return name.starts_with('@'); }

}  // namespace

Outcome<UnixSocket*> UnixNames::find(const std::string& name) const {
    if (const int error = name_error(name); error != 0) return base::failed(error);
    const auto found = nodes_.find(name);
    if (found != nodes_.end()) return found->second.owner;
    return base::failed(is_abstract(name) ? ECONNREFUSED : ENOENT);
}

Outcome<void> UnixNames::bind(const std::string& name, UnixSocket& socket) {
    const bool is_new = nodes_.try_emplace(name, &socket, inode_last_ + 1).second;
    if (!is_new) return base::failed(EADDRINUSE);
    ++inode_last_;
    return {};
}

std::map<std::string, UnixNames::Node>::const_iterator UnixNames::node_of(
    const UnixSocket& socket) const {
    const auto is_its = [&](const auto& entry) { return entry.second.owner == &socket; };
    return std::ranges::find_if(nodes_, is_its);
}

void UnixNames::leave(const UnixSocket& socket) {
    const auto found = node_of(socket);
    if (found == nodes_.end()) return;
    if (is_abstract(found->first)) {
        nodes_.erase(found);
    } else {
        nodes_.at(found->first).owner = nullptr;
    }
}

PathFacts UnixNames::inspect(const std::string& path) const {
    const auto found = nodes_.find(path);
    if (is_abstract(path) || found == nodes_.end()) return {};
    return {.kind = PathFacts::Kind::socket, .device = kDevice, .inode = found->second.inode};
}

PathFacts UnixNames::file_of(const UnixSocket& socket) const {
    const auto found = node_of(socket);
    return found == nodes_.end() ? PathFacts{} : inspect(found->first);
}

Outcome<void> UnixNames::unlink(const std::string& path) {
    if (is_abstract(path) || nodes_.erase(path) == 0) return base::failed(ENOENT);
    return {};
}

Outcome<void> UnixNames::rename(const std::string& from, const std::string& to) {
    const auto found = nodes_.find(from);
    if (is_abstract(from) || found == nodes_.end()) return base::failed(ENOENT);
    if (from == to) return {};
    const Node node = found->second;
    nodes_.erase(found);
    nodes_.insert_or_assign(to, node);
    return {};
}

int name_error(const std::string& name) {
    if (name.size() > Endpoint::kUnixNameMax + (is_abstract(name) ? 1U : 0U)) return ENAMETOOLONG;
    const bool is_name = !name.empty() && (is_abstract(name) || !name.contains('\0'));
    return is_name ? 0 : EINVAL;
}

}  // namespace berth::driver::sim
