// SPDX-License-Identifier: MIT
//
// Links: patterns, and what must be true of two ends.

#include "sim/links.hpp"

#include "sim/chance.hpp"

#include <algorithm>
#include <cstring>

namespace berth::simulation {

namespace {

// All bytes of all links are parts of two endless repetitions, one per source: comparing is then
// a matter of memory. The period is a prime, so that no common loss is a multiple of it.
constexpr std::size_t kPeriod = 65521;
constexpr std::size_t kLinkDistance = 7919;  // between where links begin

std::vector<std::byte> make_period(Source source) {
    std::vector<std::byte> bytes;
    Chance chance(source);
    for (std::size_t i = 0; i < kPeriod; ++i) {
        bytes.push_back(static_cast<std::byte>(chance.below(0x80) | std::size_t{source} << 7U));
    }
    return bytes;
}

// The longest part from that position on that lies in one piece, but not more than `most`.
Bytes part(const Link& link, Source source, std::uint64_t position, std::size_t most) {
    static const std::array periods{make_period(kOwn), make_period(kOutside)};
    const std::size_t begin = (position + link.number * kLinkDistance) % kPeriod;
    return Bytes(periods[source]).subspan(begin, std::min(most, kPeriod - begin));
}

// How many of the first bytes are the same.
std::size_t equal_bytes(Bytes expected, Bytes bytes) {
    if (std::memcmp(expected.data(), bytes.data(), expected.size()) == 0) return expected.size();
    const auto differ = std::ranges::mismatch(expected, bytes);
    return static_cast<std::size_t>(differ.in1 - expected.begin());
}

const char* name(Side side) { return side == kDialer ? "dialer" : "acceptor"; }

std::string counts(const Counts& counts) {
    return std::to_string(counts[kOwn]) + "+" + std::to_string(counts[kOutside]);
}

// Closed by the engine for a reason that destroys what is on its way?
bool is_cutting(CloseReason reason) {
    switch (reason) {
        case CloseReason::stop_forced:
        case CloseReason::outbound_overflow:
        case CloseReason::inbound_overflow:
        case CloseReason::handler_threw:
        case CloseReason::peer_reset:
        case CloseReason::read_timeout:
        case CloseReason::write_stall_timeout:
        case CloseReason::idle_timeout: return true;
        default: return false;
    }
}

}  // namespace

std::vector<std::byte> pattern(const Link& link, Source source, std::uint64_t from,
                               std::size_t count) {
    std::vector<std::byte> bytes;
    bytes.reserve(count);
    while (bytes.size() < count) {
        const Bytes next = part(link, source, from + bytes.size(), count - bytes.size());
        bytes.insert(bytes.end(), next.begin(), next.end());
    }
    return bytes;
}

Link& Links::begin(const std::string& key, const Manners& manners) {
    Link& link = links_.emplace_back();
    link.number = links_.size() - 1;
    link.key = key;
    link.manners = manners;
    link.is_unix = key.starts_with("unix");
    Link*& known = by_key_[key];
    if (known != nullptr && known->ends[kAcceptor].gone == false) {
        link.doubtful = known->doubtful = true;
    }
    known = &link;
    return link;
}

Link& Links::of(const std::string& key) {
    const auto known = by_key_.find(key);
    return known == by_key_.end() ? begin(key, {}) : *known->second;
}

void Links::check(const Link& link, Side reader, Bytes bytes, Counts& at) {
    if (link.doubtful) return;
    const Counts& sent = link.ends[other(reader)].sent;
    while (!bytes.empty()) {
        const Source source = (bytes[0] & std::byte{0x80}) == std::byte{} ? kOwn : kOutside;
        const Bytes expected = part(link, source, at[source], bytes.size());
        const std::size_t count = equal_bytes(expected, bytes);
        at[source] += count;
        bytes = bytes.subspan(count);
        if (count > 0 && at[source] <= sent[source]) continue;
        return findings_.violated(count == 0 ? "wrong-byte" : "bytes-from-nowhere",
                                  link.name() + ": the " + name(reader) + " has " + counts(at) +
                                      " bytes, sent were " + counts(sent));
    }
}

void Links::heard_end(Link& link, Side reader, std::uint64_t unread) {
    End& end = link.ends[reader];
    const End& sender = link.ends[other(reader)];
    end.heard_end = true;
    if (link.doubtful) return;
    if (sender.is_peer && !sender.ended) {
        findings_.violated("end-from-nowhere", link.name() + ": the " + name(reader) +
                                                   " has a FIN that nobody asked for");
    }
    if (end.received[kOwn] + unread >= sender.sent[kOwn]) return;
    if (link.is_unix && reader == kDialer) return;  // the reason may excuse it
    findings_.violated("fin-after-truncation", link.name() + ": the " + name(reader) +
                                                   " has its FIN after " + counts(end.received) +
                                                   " (+" + std::to_string(unread) + " unread) of " +
                                                   counts(sender.sent) + " bytes");
}

// ── At the end ───────────────────────────────────────────────────────────────────────────────

void Links::check_ends() {
    for (const Link& link : links_) {
        if (link.doubtful) continue;
        for (const Side reader : {kDialer, kAcceptor}) {
            if (link.ends[reader].heard_end) check_complete(link, reader);
            if (link.ends[reader].heard_reset) check_reset(link, reader);
        }
    }
}

// By now it is known what of the writes from outside was promised as written.
void Links::check_complete(const Link& link, Side reader) {
    const End& end = link.ends[reader];
    const End& sender = link.ends[other(reader)];
    if (reader == kAcceptor) return;
    const Counts owed{sender.sent[kOwn], sender.written};
    if (end.received == owed) return;
    if (link.is_unix && (sender.cut || !link.reason || is_cutting(*link.reason))) return;
    findings_.violated("fin-after-truncation", link.name() + ": the " + name(reader) +
                                                   " had a FIN after " + counts(end.received) +
                                                   " of " + counts(owed) + " bytes");
}

// A reset needs a cause: an end that cut, or bytes that met a closed socket.
void Links::check_reset(const Link& link, Side reader) {
    if (reader == kAcceptor) return;
    const End& acceptor = link.ends[kAcceptor];
    const bool was_served = link.reason.has_value();
    if (!was_served || acceptor.cut || is_cutting(*link.reason)) return;
    if (!link.ends[kDialer].ended || link.ends[kDialer].gone) return;  // it met our late close
    findings_.violated("reset-without-cause", link.name() + ": the dialer was reset, though " +
                                                  std::string(to_string(*link.reason)) +
                                                  " is a reason to end it in order");
}

}  // namespace berth::simulation
