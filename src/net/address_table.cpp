// SPDX-License-Identifier: MIT
//
// AddressTable: looking, adding, removing.

#include "net/address_table.hpp"

#include "net/address_hash.hpp"

#include <algorithm>
#include <bit>

namespace berth::net {

namespace {

constexpr std::size_t kPrefixBytes = 8;  // of an IPv6 address: its /64

IpEndpoint client_of(const IpEndpoint& peer) {
    IpEndpoint client = peer;
    if (peer.family == 6) std::fill(client.address.begin() + kPrefixBytes, client.address.end(), 0);
    return client;
}

}  // namespace

void AddressTable::reset(std::size_t connections, std::uint64_t key) {
    key_ = key;
    // Filled to a half at most.
    const std::size_t lines = std::bit_ceil(std::max(2 * connections / kWords, kProbes));
    mask_ = lines - 1;
    lines_ = std::vector<Line>(connections == 0 ? 0 : lines);
}

std::uint64_t AddressTable::hash(const IpEndpoint& peer) const {
    return hash_of_address(client_of(peer), key_);
}

void AddressTable::Look::note(Word& at, std::uint64_t tag) {
    const std::uint64_t value = at.load();
    if (value != 0 && value >> kCountBits == tag) {
        count += value & kCountMax;
        if (!is_own) *this = {.word = &at, .seen = value, .count = count, .is_own = true};
    } else if (value == 0 && word == nullptr) {
        word = &at;
    }
}

// The upper bits of a hash are the tag, the lower ones say in which lines it is looked for.
AddressTable::Look AddressTable::look(std::uint64_t hash) const {
    Look found;
    for (std::size_t probe = 0; probe < kProbes; ++probe) {
        for (Word& word : lines_[(hash + probe) & mask_].words) {
            found.note(word, hash >> kCountBits);
        }
    }
    return found;
}

bool AddressTable::add(const IpEndpoint& peer, std::size_t max) {
    const std::uint64_t mine = hash(peer);
    const std::uint64_t fresh = ((mine >> kCountBits) << kCountBits) | 1U;
    for (;;) {
        Look found = look(mine);
        if (found.count >= max || found.word == nullptr) return false;
        const std::uint64_t next = found.seen == 0 ? fresh : found.seen + 1;
        if (found.word->compare_exchange_strong(found.seen, next)) return true;
    }
}

void AddressTable::remove(const IpEndpoint& peer) {
    const std::uint64_t mine = hash(peer);
    for (;;) {
        Look found = look(mine);
        if (found.seen == 0) continue;  // it moved from one word to another while we looked
        const std::uint64_t next = (found.seen & kCountMax) == 1 ? 0 : found.seen - 1;
        if (found.word->compare_exchange_strong(found.seen, next)) return;
    }
}

std::size_t AddressTable::count(const IpEndpoint& peer) const { return look(hash(peer)).count; }

}  // namespace berth::net
