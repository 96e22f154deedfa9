// SPDX-License-Identifier: MIT
//
// Process: messages, and the descriptors that it sends and receives with them.

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/sim/descriptor_table.hpp"
#include "driver/sim/file.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/process_call.hpp"
#include "driver/sim/socket.hpp"
#include "driver/sim/unix_packet.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace berth::driver::sim {

namespace {

// SCM_RIGHTS: each comes as a descriptor of its own, until there is no room for more. False: for
// some there was none.
bool unpack(Letter& letter, DescriptorTable& table, std::vector<Descriptor>& opened) {
    for (Holding& attached : letter.attached) {
        if (table.is_full()) return false;
        opened.push_back(table.open(std::move(attached)));
    }
    return true;
}

}  // namespace

Outcome<std::pair<Descriptor, Descriptor>> Process::message_pair() {
    return call([&]() -> Outcome<std::pair<Descriptor, Descriptor>> {
        const auto one = std::make_shared<UnixPacket>(*kernel_.network_);
        const auto other = std::make_shared<UnixPacket>(*kernel_.network_);
        if (table_->is_full()) return base::failed(EMFILE);
        one->act_for(credentials());
        other->act_for(credentials());
        one->marry(*other);
        const Descriptor first = table_->open(one);
        if (table_->is_full()) {
            table_->close(first);
            return base::failed(EMFILE);
        }
        return std::pair{first, table_->open(other)};
    });
}

Outcome<void> Process::send_message(Descriptor socket, Bytes bytes,
                                    std::span<const Descriptor> attach) {
    return call(socket, [&](Socket& found) -> Outcome<void> {
        if (attach.size() > System::kAttachedMax) return base::failed(EINVAL);
        Letter letter{.bytes = {bytes.begin(), bytes.end()}, .attached = {}};
        for (const Descriptor descriptor : attach) {
            auto file = table_->file(descriptor);
            if (file == nullptr) return base::failed(EBADF);
            letter.attached.emplace_back(std::move(file));
        }
        return found.send_letter(std::move(letter));
    });
}

Outcome<Message> Process::receive_message(Descriptor socket, MutableBytes into) {
    return call(socket, [&](Socket& found) -> Outcome<Message> {
        auto letter = found.receive_letter();
        if (!letter) return base::failed(letter.errno_value());
        Message message{.size = letter->bytes.size(), .attached = {}};
        const bool has_all = unpack(*letter, *table_, message.attached);
        if (!has_all || message.size > into.size()) {
            for (const Descriptor descriptor : message.attached) table_->close(descriptor);
            return base::failed(EMSGSIZE);
        }
        std::ranges::copy(letter->bytes, into.begin());
        return message;
    });
}

}  // namespace berth::driver::sim
