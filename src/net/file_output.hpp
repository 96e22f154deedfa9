// SPDX-License-Identifier: MIT
//
// FileOutput: files that a connection owes its peer, in order with what is written between them.
//
// A connection has one only while a file is being sent (ConnectionCore::send_file). Its own queue
// has what goes before the first file; each file has what was written after it.
//
// Lifetime:  owns the descriptors of the files; finish() or give_up() ends each of them.
// Threads:   the loop's.

#pragma once

#include "driver/descriptor.hpp"
#include "net/output_queue.hpp"
#include "net/write_waiter.hpp"

#include <berth/delivery.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace berth::net {

class ConnectionTable;

// Who wants to know when a file is out.
class FileWaiter final : public WriteWaiter {
public:
    FileWaiter(ConnectionTable& table, ConnectionId id, Completion&& done)
        : table_(table), id_(id), done_(std::move(done)) {}
    void finished(Delivery how) override;  // destroys it

private:
    ConnectionTable& table_;
    ConnectionId id_;
    Completion done_;
};

struct FileOutput {
    struct File {
        driver::Descriptor descriptor = driver::Descriptor::none;
        std::uint64_t offset = 0;
        std::uint64_t left = 0;  // neither in the kernel nor in the queue
        FileWaiter* waiter = nullptr;
        std::unique_ptr<OutputQueue> behind;  // what was written after it
    };

    std::uint64_t left() const {
        std::uint64_t count = 0;
        for (const File& file : files) count += file.left;
        return count;
    }
    std::size_t queued() const {
        std::size_t count = 0;
        for (const File& file : files) count += file.behind ? file.behind->bytes() : 0;
        return count;
    }

    std::deque<File> files;
};

}  // namespace berth::net
