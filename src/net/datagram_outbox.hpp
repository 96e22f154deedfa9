// SPDX-License-Identifier: MIT
//
// DatagramOutbox: datagrams that leave together, with one system call.
//
// The bytes are copied into an area, or stay where they are if the caller says that they last.
//
// Lifetime:  its port's.
// Threads:   the loop's.

#pragma once

#include "driver/driver.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace berth::net {

class DatagramOutbox {
public:
    static constexpr std::size_t kDatagramsMax = 64;
    // Of UDP over IPv4, udp(7): 65,535 less the two headers. IPv6 and Unix sockets may carry more.
    static constexpr std::size_t kPayloadMax = 65'507;
    static constexpr std::size_t kAreaBytes = (64U << 10U) + 128;
    static_assert(kPayloadMax + Endpoint::kUnixNameMax <= kAreaBytes,
                  "an empty outbox has room for any datagram, and the name of its receiver");

    bool empty() const { return count_ == 0; }
    bool has_room(std::size_t copied) const {
        return count_ < kDatagramsMax && kAreaBytes - used_ >= copied;
    }
    driver::OutgoingDatagrams all() const { return {datagrams_.data(), count_}; }
    void clear() { count_ = used_ = 0; }

    // A name that the datagram is to keep. Where there is room, like what follows.
    std::string_view copy_name(std::string_view name) {
        std::byte* const copy = area_.get() + used_;
        if (!name.empty()) std::memcpy(copy, name.data(), name.size());
        used_ += name.size();
        return {reinterpret_cast<const char*>(copy), name.size()};
    }
    void add(const driver::OutgoingDatagram& datagram) { datagrams_[count_++] = datagram; }
    void add_copy(driver::OutgoingDatagram datagram) {
        std::byte* const copy = area_.get() + used_;
        const std::size_t size = datagram.bytes.size();
        if (size != 0) std::memcpy(copy, datagram.bytes.data(), size);
        datagram.bytes = {copy, size};
        used_ += size;
        add(datagram);
    }

private:
    std::array<driver::OutgoingDatagram, kDatagramsMax> datagrams_{};
    std::size_t count_ = 0;
    std::unique_ptr<std::byte[]> area_ = std::make_unique_for_overwrite<std::byte[]>(kAreaBytes);
    std::size_t used_ = 0;
};

}  // namespace berth::net
