// SPDX-License-Identifier: MIT
//
// ByteQueue against a string: what goes in comes out, views stay until the next append or trim,
// and the storage is no more than four times what was needed at most.
//
// Input: actions, each a digit with what belongs to it:
//
//     0 magnitude   append so many bytes
//     1 magnitude   consume so many, or all
//     2             trim
//     3             consume all, and trim

#include "base/byte_queue.hpp"
#include "choices.hpp"
#include "fuzz.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace berth::fuzz {

namespace {

constexpr std::size_t kSizeBits = 14;
constexpr std::size_t kSizeMax = std::size_t{1} << 18U;  // for speed

class QueueAndModel {
public:
    void act(Choices& choices) {
        switch (choices.below(4)) {
            case 0: return append(choices.magnitude(kSizeBits));
            case 1: return consume(choices.magnitude(kSizeBits));
            case 2: return trim();
            default: consume(model_.size()); return trim();
        }
    }

    void expect_agreement() const {
        expect(queue_.size() == model_.size(), "the size is what went in less what came out");
        expect(queue_.empty() == model_.empty(), "it is empty when its size is 0");
        expect(as_text(queue_.view()) == model_, "bytes come out as they went in");
        expect(as_text(lent_) == lent_text_, "a view is good until the next append or trim");
        expect(queue_.capacity() <= std::max(base::ByteQueue::kStorageMin, 4 * peak_),
               "the storage is at most four times what was needed");
    }

private:
    void append(std::size_t count) {
        if (model_.size() + count > kSizeMax) return;
        std::string bytes(count, '\0');
        for (char& byte : bytes) byte = static_cast<char>(++appended_ % 251);
        queue_.append(as_bytes(bytes));
        model_ += bytes;
        peak_ = std::max(peak_, model_.size());
        lend();
    }

    void consume(std::size_t count) {
        count = std::min(count, model_.size());
        queue_.consume(count);
        model_.erase(0, count);
    }

    void trim() {
        queue_.trim();
        if (model_.empty()) {
            expect(queue_.capacity() == 0, "an empty queue that was trimmed owns no memory");
            peak_ = 0;
        }
        lend();
    }

    void lend() {
        lent_ = queue_.view();
        lent_text_ = model_;
    }

    base::ByteQueue queue_;
    std::string model_;
    std::size_t appended_ = 0;
    std::size_t peak_ = 0;  // since it last owned nothing
    Bytes lent_;            // taken before what was consumed since
    std::string lent_text_;
};

}  // namespace

void try_input(Bytes input) {
    QueueAndModel both;
    for (Choices choices(input); choices.left();) {
        both.act(choices);
        both.expect_agreement();
    }
}

}  // namespace berth::fuzz
