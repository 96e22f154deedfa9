// SPDX-License-Identifier: MIT
//
// Process: from a descriptor to its socket, and the errors that come before those of sockets.

#include "driver/sim/process.hpp"

#include "base/assert.hpp"
#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/sim/descriptor_table.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process_call.hpp"
#include "driver/sim/socket.hpp"
#include "driver/sim/tcp_socket.hpp"
#include "driver/sim/udp_socket.hpp"
#include "driver/sim/unix_packet.hpp"
#include "driver/sim/unix_socket.hpp"
#include "driver/sim/unix_stream.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace berth::driver::sim {

namespace {

std::shared_ptr<Socket> make_local_socket(Network& network, Kind kind) {
    if (kind == Kind::stream) return std::make_shared<UnixStream>(network);
    if (kind == Kind::packet) return std::make_shared<UnixPacket>(network);
    return std::make_shared<UnixDatagram>(network);
}

std::shared_ptr<Socket> make_socket(Network& network, Family family, Kind kind) {
    if (family == Family::local) return make_local_socket(network, kind);
    if (kind == Kind::stream) return std::make_shared<TcpSocket>(network, family);
    return std::make_shared<UdpSocket>(network, family);
}

// A lock on a directory, for as long as its descriptor is open.
class DirectoryLock final : public File {
public:
    DirectoryLock(UnixNames& names, std::string directory)
        : names_(names), directory_(std::move(directory)) {}
    ~DirectoryLock() override { names_.unlock(directory_); }

private:
    UnixNames& names_;
    std::string directory_;
};

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Process::Process(Kernel& kernel, std::size_t descriptors_max, Identity identity)
    : kernel_(kernel),
      identity_(std::move(identity)),
      began_(kernel.now()),
      id_(kernel.network_->enter(*this)),
      table_(std::make_unique<DescriptorTable>(descriptors_max)) {}

Process::~Process() {
    kernel_.network_->leave(*this);
    table_->close_all();
    kernel_.settle();
}

PeerCredentials Process::credentials() const {
    return {.pid = id_, .uid = identity_.uid, .gid = identity_.uid};
}

// ── Descriptors ──────────────────────────────────────────────────────────────────────────────

Outcome<Descriptor> Process::open_nothing() {
    return call([&]() -> Outcome<Descriptor> {
        if (table_->is_full()) return base::failed(EMFILE);
        return table_->open(std::make_shared<File>());
    });
}

std::size_t Process::descriptors_open() const { return table_->open_count(); }

std::size_t Process::descriptors_max() const { return table_->max(); }

void Process::limit_descriptors(std::size_t max) { table_->limit(max); }

Outcome<Descriptor> Process::duplicate(Descriptor descriptor) {
    return call([&]() -> Outcome<Descriptor> {
        auto file = table_->file(descriptor);
        if (file == nullptr) return base::failed(EBADF);
        if (table_->is_full()) return base::failed(EMFILE);
        return table_->open(std::move(file));
    });
}

void Process::close(Descriptor descriptor) {
    kernel_.begin_call();
    table_->close(descriptor);
    kernel_.settle();
}

// ── Sockets ──────────────────────────────────────────────────────────────────────────────────

Outcome<Descriptor> Process::socket(Family family, Kind kind) {
    return call([&]() -> Outcome<Descriptor> {
        if (kernel_.happens(kernel_.weather().short_of_memory)) return base::failed(ENOBUFS);
        if (family != Family::local && kind == Kind::packet) return base::failed(ESOCKTNOSUPPORT);
        if (table_->is_full()) return base::failed(EMFILE);
        auto socket = make_socket(*kernel_.network_, family, kind);
        socket->act_for(credentials());
        return table_->open(std::move(socket));
    });
}

Outcome<void> Process::bind(Descriptor socket, const Endpoint& endpoint) {
    return call(socket, [&](Socket& found) { return found.bind(endpoint); });
}

Outcome<void> Process::listen(Descriptor socket, int backlog) {
    return call(socket, [&](Socket& found) {
        found.act_for(credentials());
        return found.listen(backlog);
    });
}

Outcome<void> Process::connect(Descriptor socket, const Endpoint& endpoint) {
    return call(socket, [&](Socket& found) -> Outcome<void> {
        if (kernel_.happens(kernel_.weather().short_of_memory)) return base::failed(ENOMEM);
        found.act_for(credentials());
        return found.connect(endpoint);
    });
}

// The number comes first in Linux: without one, nothing else is looked at.
Outcome<Accepted> Process::accept(Descriptor listener) {
    return call(listener, [&](Socket& found) -> Outcome<Accepted> {
        if (table_->is_full()) return base::failed(EMFILE);
        if (kernel_.happens(kernel_.weather().short_of_memory)) return base::failed(ENOMEM);
        const auto accepted = found.accept();
        if (!accepted) return base::failed(accepted.errno_value());
        if (kernel_.happens(kernel_.weather().aborted_accept)) {
            static_cast<void>((*accepted)->set(SocketOption::linger_reset, 0));
            (*accepted)->close();
            return base::failed(ECONNABORTED);
        }
        (*accepted)->act_for(credentials());
        return Accepted{.descriptor = table_->open(*accepted),
                        .peer = (*accepted)->peer_when_accepted()};
    });
}

Outcome<std::size_t> Process::send(Descriptor socket, Bytes bytes) {
    return call(socket, [&](Socket& found) { return found.send(bytes); });
}

Outcome<std::size_t> Process::receive(Descriptor socket, std::span<std::byte> into) {
    return call(socket, [&](Socket& found) { return found.receive(into); });
}

Outcome<std::size_t> Process::send_to(Descriptor socket, const Endpoint& endpoint, Bytes bytes) {
    return call(socket, [&](Socket& found) { return found.send_to(endpoint, bytes); });
}

Outcome<Datagram> Process::receive_from(Descriptor socket, std::span<std::byte> into) {
    return call(socket, [&](Socket& found) { return found.receive_from(into); });
}

Outcome<void> Process::shutdown(Descriptor socket, Shut what) {
    return call(socket, [&](Socket& found) { return found.shutdown(what); });
}

Outcome<void> Process::disconnect(Descriptor socket) {
    return call(socket, [](Socket& found) { return found.disconnect(); });
}

Outcome<void> Process::set(Descriptor socket, SocketOption option, int value) {
    return call(socket, [&](Socket& found) { return found.set(option, value); });
}

int Process::take_error(Descriptor socket) {
    const auto error =
        call(socket, [&](Socket& found) { return Outcome<int>{found.take_error()}; });
    return error ? *error : error.errno_value();
}

Outcome<Endpoint> Process::local_endpoint(Descriptor socket, Scheme scheme) {
    return call(socket, [&](Socket& found) { return found.local_endpoint(scheme); });
}

Outcome<Endpoint> Process::peer_endpoint(Descriptor socket, Scheme scheme) {
    return call(socket, [&](Socket& found) { return found.peer_endpoint(scheme); });
}

Outcome<std::size_t> Process::unacknowledged(Descriptor socket) {
    return call(socket, [&](Socket& found) { return found.unacknowledged(); });
}

Outcome<std::size_t> Process::never_sent(Descriptor socket) {
    return call(socket, [&](Socket& found) { return found.never_sent(); });
}

// ── Filters ──────────────────────────────────────────────────────────────────────────────────

Outcome<void> Process::attach(Descriptor socket, Filter filter) {
    return call(socket, [&](Socket& found) -> Outcome<void> {
        const bool is_inet = found.family() != Family::local;
        const bool needs_right = is_inet && filter != Filter::none && !identity_.is_net_admin;
        if (needs_right) return base::failed(EPERM);
        return found.attach(filter);
    });
}

Outcome<void> Process::drop_handshakes(Descriptor socket) {
    return attach(socket, Filter::handshakes);
}

Outcome<void> Process::drop_everything(Descriptor socket) {
    return attach(socket, Filter::everything);
}

Outcome<void> Process::remove_filter(Descriptor socket) { return attach(socket, Filter::none); }

Outcome<void> Process::require_ttl(Descriptor socket, int least) {
    return call(socket, [&](Socket& found) { return found.require_ttl(least); });
}

// ── Questions ────────────────────────────────────────────────────────────────────────────────

Readiness Process::readiness(Descriptor socket) const {
    const auto found = table_->socket(socket);
    return found ? (*found)->readiness() : Readiness{};
}

Family Process::family_of(Descriptor socket) const {
    const auto found = table_->socket(socket);
    BERTH_ASSERT(found.has_value(), "only a socket has a family");
    return (*found)->family();
}

// ── Unix paths ───────────────────────────────────────────────────────────────────────────────

Outcome<Descriptor> Process::lock_directory_of(const std::string& path) {
    return call([&]() -> Outcome<Descriptor> {
        if (table_->is_full()) return base::failed(EMFILE);
        UnixNames& names = kernel_.network_->unix_names();
        const std::string directory = directory_of(path);
        if (!names.lock(directory)) return base::failed(EWOULDBLOCK);
        return table_->open(std::make_shared<DirectoryLock>(names, directory));
    });
}

Outcome<PathFacts> Process::inspect(const std::string& path) {
    return call([&] { return Outcome<PathFacts>{kernel_.network_->unix_names().inspect(path)}; });
}

// The answer that a connect with a datagram socket would get, which needs a descriptor for it.
Outcome<bool> Process::path_has_owner(const std::string& path) {
    return call([&]() -> Outcome<bool> {
        if (table_->is_full()) return base::failed(EMFILE);
        const auto owner = kernel_.network_->unix_names().find(path);
        if (owner) return *owner != nullptr;
        if (owner.errno_value() == ECONNREFUSED) return false;
        return base::failed(owner.errno_value());
    });
}

Outcome<void> Process::unlink(const std::string& path) {
    return call([&] { return kernel_.network_->unix_names().unlink(path); });
}

Outcome<void> Process::rename(const std::string& from, const std::string& to) {
    return call([&] { return kernel_.network_->unix_names().rename(from, to); });
}

// Nobody looks at the mode.
Outcome<void> Process::permit(const std::string& path) {
    return call([&]() -> Outcome<void> {
        const auto facts = kernel_.network_->unix_names().inspect(path);
        if (facts.kind == PathFacts::Kind::missing) return base::failed(ENOENT);
        return {};
    });
}

}  // namespace berth::driver::sim
