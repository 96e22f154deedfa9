// SPDX-License-Identifier: MIT
//
// ConnectionCore, the way out of files: from the page cache to the socket by sendfile(2).
//
// When the socket is full, or something stands between the bytes and the wire, a piece of the file
// goes through the queue like anything else: then its driver waits for room, and no driver has to
// know about files.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/file_output.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

namespace berth::net {

namespace {

// Of one connection per batch, so that its neighbours have their turn.
constexpr std::size_t kFileBudget = 1U << 20U;
constexpr std::size_t kPieceBytes = 64U << 10U;

// These say that this file cannot be sent that way, not that the stream is broken.
bool wants_copying(int errno_value) {
    return errno_value == EAGAIN || errno_value == EINVAL || errno_value == ENOSYS ||
           errno_value == EOPNOTSUPP;
}

}  // namespace

void FileWaiter::finished(Delivery how) {
    const std::unique_ptr<FileWaiter> self(this);
    if (!done_) return;
    table_.guarded_void(Callback::completion, [&] { done_(id_, how); });
}

FileOutput& ConnectionCore::files() const { return table_.files(slot()); }

std::uint64_t ConnectionCore::file_left() const { return is(kFiles) ? files().left() : 0; }

Result<void> ConnectionCore::send_file(const FilePart& part, Completion&& done) {
    if (!may_write(state_)) {
        return berth::fail(
            Error(ErrorCode::not_running, "send_file").because("the connection is closing"));
    }
    if (is(kLinked)) {
        return berth::fail(Error(ErrorCode::unsupported, "send_file")
                               .because("a file is for streams that pass no descriptors"));
    }
    const auto file = table_.system().duplicate(driver::Descriptor{part.file});
    if (!file) return berth::fail(Error::from_errno("dup", file.errno_value()));
    queue_turn();
    bytes_written_ += part.count;
    last_activity_ = table_.loop().now();
    set(kFiles);
    files().files.push_back({.descriptor = *file,
                             .offset = part.offset,
                             .left = part.count,
                             .waiter = new FileWaiter(table_, id(), std::move(done)),
                             .behind = nullptr});
    mark_dirty();
    return {};
}

// The queue that what is written now belongs to.
OutputQueue& ConnectionCore::last_queue() {
    if (!is(kFiles)) return queue();
    std::unique_ptr<OutputQueue>& behind = files().files.back().behind;
    if (!behind) behind = table_.output_pool().take_queue();
    return *behind;
}

// Once the queue before them is empty.
void ConnectionCore::send_files() {
    std::size_t budget = kFileBudget;
    while (!output_ && is(kFiles) && !is_gone()) {
        FileOutput::File& file = files().files.front();
        if (file.left == 0) {
            finish_file();
        } else if (budget == 0) {
            return mark_dirty();
        } else if (is(kTransported) || !send_some_of(file, budget)) {
            copy_some_of(file);
        }
        if (output_ && !is(kSending) && !is_gone()) send_queue();
    }
}

// False: not this way, now.
bool ConnectionCore::send_some_of(FileOutput::File& file, std::size_t& budget) {
    if (!reclaim()) return true;  // what was sent before is here again
    const std::size_t wanted = std::min<std::uint64_t>(file.left, budget);
    const auto sent = table_.system().send_file(
        descriptor, {.file = file.descriptor, .offset = file.offset, .count = wanted});
    if (!sent) {
        if (wants_copying(sent.errno_value())) return false;
        fail(sent.errno_value());
        return true;
    }
    if (*sent == 0) {
        fail(EIO);  // it is shorter than was promised
        return true;
    }
    file.offset += *sent;
    file.left -= *sent;
    budget -= std::min(budget, *sent);
    last_activity_ = table_.loop().now();
    return true;
}

void ConnectionCore::copy_some_of(FileOutput::File& file) {
    std::vector<std::byte> piece(std::min<std::uint64_t>(file.left, kPieceBytes));
    const auto count = table_.system().read_file(file.descriptor, piece, file.offset);
    if (!count) return fail(count.errno_value());
    if (*count == 0) return fail(EIO);
    file.offset += *count;
    file.left -= *count;
    owe(*count);
    queue().append_copy(Bytes(piece).first(*count));
}

// All of it is in the kernel.
void ConnectionCore::finish_file() {
    FileOutput& output = files();
    FileOutput::File file = std::move(output.files.front());
    output.files.pop_front();
    table_.system().close(file.descriptor);
    table_.finish_later(*file.waiter, Delivery::written);
    output_ = std::move(file.behind);
    if (!output.files.empty()) return;
    table_.forget_files(slot());
    clear(kFiles);
    if (is(kDraining) && !output_) end_when_idle();
}

void ConnectionCore::drop_files(Delivery delivery) {
    if (!is(kFiles)) return;
    for (FileOutput::File& file : files().files) {
        table_.system().close(file.descriptor);
        table_.finish_later(*file.waiter, delivery);
        if (file.behind) drop_queue(std::move(file.behind), delivery);
    }
    table_.forget_files(slot());
    clear(kFiles);
}

}  // namespace berth::net
