// SPDX-License-Identifier: MIT
//
// AddressTable: how many connections each client address has. An IPv6 client is its /64: that is
// what one customer is given.
//
// An address is a word: a tag of its hash and a count. Eight words share a cache line, an address
// has two lines to be in, and threads that meet in a word try again. The hash is keyed, so that
// nobody can choose addresses that fill a line; two addresses are taken for one with a chance of
// one in 2^36.
//
// Touched at accept and at close only.
//
// Threads:   any; reset() before the first add().

#pragma once

#include <berth/endpoint.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace berth::net {

class AddressTable {
public:
    static constexpr std::size_t kCountMax = (std::size_t{1} << 24U) - 1;

    // Room for `connections`, each from an address of its own. 0: the table is not used.
    void reset(std::size_t connections, std::uint64_t key);

    // One more, unless it has `max` already, or there is no room. Of several threads that meet in
    // a new address each may pass it by one.
    bool add(const IpEndpoint& peer, std::size_t max);
    // One that was added.
    void remove(const IpEndpoint& peer);
    std::size_t count(const IpEndpoint& peer) const;

private:
    using Word = std::atomic<std::uint64_t>;
    static constexpr std::size_t kWords = 8;
    static constexpr std::size_t kProbes = 2;
    static constexpr unsigned kCountBits = 24;

    struct alignas(64) Line {
        std::array<Word, kWords> words{};
    };
    // What a look at an address's lines has found.
    struct Look {
        Word* word = nullptr;    // one that is its own, or else an empty one
        std::uint64_t seen = 0;  // in it
        std::size_t count = 0;   // in all
        bool is_own = false;     // the word is

        void note(Word& at, std::uint64_t tag);
    };

    std::uint64_t hash(const IpEndpoint& peer) const;
    Look look(std::uint64_t hash) const;

    std::uint64_t key_ = 0;
    std::size_t mask_ = 0;
    mutable std::vector<Line> lines_;
};

}  // namespace berth::net
