// SPDX-License-Identifier: MIT
//
// OutputQueue against a string, two queues on one pool: what goes in comes out, in order, and
// what was pinned stays in place until the next consume.
//
// Input: actions, each a digit for the queue, one for what is done, and what belongs to it:
//
//     0 magnitude   append a copy of so many bytes
//     1 magnitude   append a Buffer of so many
//     2 magnitude   consume so many, or all
//     3             pin the front
//     4             give the queue back to the pool, and take one again
//     5             append what the other queue's newest Buffer shares

#include "choices.hpp"
#include "fuzz.hpp"
#include "net/output_queue.hpp"

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace berth::fuzz {

namespace {

constexpr std::size_t kSizeBits = 14;
constexpr std::size_t kSizeMax = std::size_t{1} << 18U;  // for speed

std::string joined(driver::Slices slices) {
    std::string text;
    for (const Bytes slice : slices) text += as_text(slice);
    return text;
}

class QueueAndModel {
public:
    explicit QueueAndModel(net::OutputPool& pool) : pool_(pool) {}

    void append_copy(const std::string& bytes) {
        queue_->append_copy(as_bytes(bytes));
        model_ += bytes;
    }
    void append(Buffer&& buffer) {
        newest_ = buffer.share();
        model_ += as_text(buffer.bytes());
        queue_->append(std::move(buffer));
    }
    Buffer share_newest() const { return newest_.share(); }

    void consume(std::size_t count) {
        pinned_ = {};
        count = std::min(count, model_.size());
        queue_->consume(count);
        model_.erase(0, count);
    }

    void pin() {
        pinned_ = queue_->pin();
        pinned_text_ = joined(pinned_);
    }

    void replace() {
        pinned_ = {};
        pool_.give_back(std::move(queue_));
        queue_ = pool_.take_queue();
        model_.clear();
    }

    std::size_t size() const { return model_.size(); }

    void expect_agreement() {
        expect(queue_->bytes() == model_.size(), "the size is what went in less what came out");
        expect(queue_->empty() == model_.empty(), "it is empty when its size is 0");
        std::array<Bytes, net::kSlicesPerSend> room;
        const auto front = queue_->front(room);
        expect(model_.starts_with(joined(front)), "bytes come out as they went in");
        expect(front.size() == room.size() || joined(front).size() == model_.size(),
               "the front is all, or fills the room");
        expect(std::ranges::none_of(front, &Bytes::empty), "no slice is empty");
        if (!pinned_.empty()) {
            expect(joined(pinned_) == pinned_text_, "what is pinned stays as it is");
            expect(pinned_.data()->data() == front.data()->data(), "what is pinned stays in place");
        }
    }

private:
    net::OutputPool& pool_;
    std::unique_ptr<net::OutputQueue> queue_ = pool_.take_queue();
    std::string model_;
    Buffer newest_;
    driver::Slices pinned_;
    std::string pinned_text_;
};

class Bytewise {
public:
    std::string next(std::size_t count) {
        std::string bytes(count, '\0');
        for (char& byte : bytes) byte = static_cast<char>(++made_ % 251);
        return bytes;
    }

private:
    std::size_t made_ = 0;
};

}  // namespace

void try_input(Bytes input) {
    net::OutputPool pool;
    std::array<QueueAndModel, 2> queues{QueueAndModel(pool), QueueAndModel(pool)};
    Bytewise bytes;
    for (Choices choices(input); choices.left();) {
        const std::size_t which = choices.below(2);
        QueueAndModel& queue = queues[which];
        const bool has_room = queue.size() < kSizeMax;
        switch (choices.below(6)) {
            case 0:
                if (has_room) queue.append_copy(bytes.next(choices.magnitude(kSizeBits)));
                break;
            case 1:
                if (has_room) queue.append(Buffer::adopt(bytes.next(choices.magnitude(kSizeBits))));
                break;
            case 2: queue.consume(choices.magnitude(kSizeBits)); break;
            case 3: queue.pin(); break;
            case 4: queue.replace(); break;
            default:
                if (has_room) queue.append(queues[1 - which].share_newest());
        }
        for (QueueAndModel& each : queues) each.expect_agreement();
    }
}

}  // namespace berth::fuzz
