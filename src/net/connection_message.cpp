// SPDX-License-Identifier: MIT
//
// ConnectionCore, of messages: what is different where a write keeps its bounds, or brings
// descriptors. Its life is a stream's: it is drained, ended and lingers as one. The socket's side
// is message_link.hpp.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/message_link.hpp"

#include <algorithm>
#include <cerrno>

namespace berth::net {

namespace {

Error cannot_pass(ErrorCode code, const char* why) {
    return Error(code, "write_with").because(why);
}

// What a send says of the descriptors that it was given, or of how many are on their way already:
// nothing that concerns the connection.
bool is_about_descriptors(int errno_value) {
    return errno_value == EBADF || errno_value == EINVAL || errno_value == EPERM ||
           errno_value == ETOOMANYREFS;
}

}  // namespace

MessageLink* ConnectionCore::messages() const {
    return is(kLinked) ? table_.link(slot_).as_messages() : nullptr;
}

bool ConnectionCore::keeps_bounds() const {
    return is(kLinked) && table_.link(slot_).keeps_bounds();
}

bool ConnectionCore::is_put_off() const {
    return is(kLinked) ? table_.link(slot_).is_put_off() : table_.driver().is_put_off(*this);
}

// ── Beginning ────────────────────────────────────────────────────────────────────────────────

// An errno, or 0: what a listener accepts, or a loop adopts, is received from now on.
int ConnectionCore::start_accepted() {
    return start_connected(peer_family_ == 0 ? table_.message_plan(*this) : std::nullopt);
}

int ConnectionCore::start_connected(const std::optional<MessagePlan>& plan) {
    if (!plan) return table_.driver().start_receive(*this).errno_value();
    set(kLinked);
    return table_.add_message_link(*this, *plan).start();
}

void ConnectionCore::connect_messages(const Endpoint& endpoint, const MessagePlan& plan) {
    set(kLinked);
    const int errno_value = table_.add_message_link(*this, plan).connect(endpoint);
    if (errno_value != 0) fail(errno_value);
}

void ConnectionCore::open_messages() {
    if (!is_gone()) begin();
}

// ── Writing ──────────────────────────────────────────────────────────────────────────────────

WriteStatus ConnectionCore::write_linked(Bytes bytes) {
    if (messages() == nullptr) return write_datagram(bytes);
    return write_message(bytes, {}).value_or(WriteStatus::refused);
}

// A failure is about the descriptors alone.
base::Outcome<WriteStatus> ConnectionCore::write_message(Bytes bytes,
                                                         std::span<FileDescriptor> attached) {
    if (!may_write(state_) || !may_queue(bytes.size())) return WriteStatus::refused;
    if (bytes.empty()) return pressure();
    MessageLink& link = *messages();
    const std::size_t before = link.queued();
    bytes_written_ += bytes.size();
    last_activity_ = table_.loop().now();
    const int errno_value = link.write(bytes, attached);
    if (errno_value == 0) return wait_for_room(link.queued() - before);
    bytes_written_ -= bytes.size();
    if (errno_value == EMSGSIZE) return WriteStatus::too_long;
    if (!attached.empty() && is_about_descriptors(errno_value)) return base::failed(errno_value);
    fail(errno_value);
    return WriteStatus::refused;
}

WriteStatus ConnectionCore::wait_for_room(std::size_t queued) {
    if (queued > 0) {
        owe(queued);
        if (!is(kSending)) {
            set(kSending);
            if (!begin_waiting()) return WriteStatus::refused;
        }
    }
    return pressure();
}

Result<WriteStatus> ConnectionCore::write_with(Bytes bytes, std::span<FileDescriptor> attached) {
    const MessageLink* const link = messages();
    if (link == nullptr || !link->passes_descriptors()) {
        return berth::fail(
            cannot_pass(ErrorCode::unsupported, "this connection passes no descriptors")
                .fix("set descriptors_max, in Options for who is accepted on unix: and "
                     "unixpacket:, in DialOptions for who is dialled there"));
    }
    if (bytes.empty()) {
        return berth::fail(cannot_pass(ErrorCode::invalid_option, "there is no byte to go with")
                               .fix("send one byte at least"));
    }
    const bool is_sound =
        std::ranges::all_of(attached, [](const FileDescriptor& each) { return each.is_open(); });
    if (attached.empty() || attached.size() > driver::System::kAttachedMax || !is_sound) {
        return berth::fail(cannot_pass(ErrorCode::invalid_option,
                                       "1 to 253 descriptors go with a write, each "
                                       "of them open"));
    }
    const auto written = write_message(bytes, attached);
    if (!written) return berth::fail(Error::from_errno("write_with", written.errno_value()));
    return *written;
}

std::vector<FileDescriptor> ConnectionCore::take_descriptors() {
    MessageLink* const link = messages();
    return link != nullptr ? link->take_descriptors() : std::vector<FileDescriptor>{};
}

bool ConnectionCore::has_lost_descriptors() {
    MessageLink* const link = messages();
    return link != nullptr && link->has_lost_descriptors();
}

void ConnectionCore::message_sent(std::size_t count) {
    last_activity_ = table_.loop().now();
    paid(count);
    finish_waiters(messages()->waiters());
    relieve();
}

void ConnectionCore::messages_all_sent() {
    if (is_gone()) return;
    clear(kSending);
    if (is(kDraining)) end_when_idle();
    settle();
}

void ConnectionCore::drop_messages(Delivery delivery) {
    MessageLink* const link = messages();
    if (link == nullptr) return;
    while (WriteWaiter* waiter = link->waiters().pop()) table_.finish_later(*waiter, delivery);
    paid(link->queued());
    link->drop_queue();
}

}  // namespace berth::net
