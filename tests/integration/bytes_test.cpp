// SPDX-License-Identifier: MIT
//
// Every byte is accounted for: what the report says was lost, against peers that count.
//
// Each schedule is a seed: some peers, each owed some bytes and with manners of its own, and a
// stop with some deadline. Per connection: discarded ≤ missed ≤ discarded + unconfirmed, and no
// stream with bytes missing ends in a FIN.
//
//     BERTH_BYTE_SCHEDULES=5000 BERTH_BYTE_SEED=1 berth_integration_tests
//
// See:       tools/prove/bytes.

#include "integration/support_engine.hpp"
#include "support/privilege.hpp"

#include <linux/filter.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kOwedMax = 3U << 20U;

std::size_t from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::stoul(text);
}

// Numbers from a seed, the same on every machine.
class Chance {
public:
    explicit Chance(std::size_t seed) : engine_(seed) {}
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : engine_() % bound; }

private:
    std::mt19937_64 engine_;
};

enum class Manners { reads, reads_slowly, reads_some, never_reads, ends_first, vanishes };
constexpr std::size_t kManners = 6;

// A peer that counts, and reads as its manners are.
class Oracle {
public:
    Oracle(RawPeer peer, Chance& chance, bool may_vanish)
        : peer_(std::move(peer)),
          manners_(static_cast<Manners>(chance.below(may_vanish ? kManners : kManners - 1))),
          chunk_(1 + chance.below(64U << 10U)),
          some_(chance.below(kOwedMax)) {}

    IpEndpoint address() const { return peer_.address(); }
    std::size_t received() const { return received_; }
    bool is_reset() const { return ended_ == Ended::by_reset; }
    bool has_vanished() const { return manners_ == Manners::vanishes; }

    void begin() {
        if (manners_ == Manners::ends_first) peer_.end();
        if (!has_vanished()) return;
        std::array<sock_filter, 1> drop{{BPF_STMT(BPF_RET | BPF_K, 0)}};
        const sock_fprog program{.len = drop.size(), .filter = drop.data()};
        EXPECT_EQ(::setsockopt(peer_.descriptor(), SOL_SOCKET, SO_ATTACH_FILTER, &program,
                               sizeof program),
                  0);
    }
    void act() {
        switch (manners_) {
            case Manners::reads:
            case Manners::ends_first: take(kOwedMax); return;
            case Manners::reads_slowly: take(chunk_); return;
            case Manners::reads_some: take(received_ < some_ ? chunk_ : 0); return;
            case Manners::never_reads:
            case Manners::vanishes: return;
        }
    }
    // What there still is, to the end.
    void read_to_end() {
        EXPECT_TRUE(eventually([&] {
            const std::size_t got = take(kOwedMax);
            return ended_ != Ended::not_yet || (has_vanished() && got == 0);
        })) << describe();
    }
    std::string describe() const {
        return "manners " + std::to_string(static_cast<int>(manners_)) + ", received " +
               std::to_string(received_);
    }

private:
    std::size_t take(std::size_t most) {
        static std::vector<char> room(kOwedMax);
        if (most == 0 || ended_ != Ended::not_yet) return 0;
        const ssize_t got = ::recv(peer_.descriptor(), room.data(), most, MSG_DONTWAIT);
        if (got > 0) received_ += static_cast<std::size_t>(got);
        if (got == 0) ended_ = Ended::by_fin;
        if (got < 0 && errno != EAGAIN) ended_ = Ended::by_reset;
        return got > 0 ? static_cast<std::size_t>(got) : 0;
    }

    RawPeer peer_;
    Manners manners_;
    std::size_t chunk_;
    std::size_t some_;
    std::size_t received_ = 0;
    Ended ended_ = Ended::not_yet;
};

class EveryByte : public AnEngine {
protected:
    // By the port of the peer.
    std::map<std::uint16_t, std::uint64_t> written;

    void play(std::size_t seed) {
        SCOPED_TRACE("BERTH_BYTE_SEED=" + std::to_string(seed));
        Chance chance(seed);
        std::vector<std::size_t> owed(1 + chance.below(6));
        for (std::size_t& bytes : owed) bytes = chance.below(4) * chance.below(kOwedMax / 3);
        written.clear();
        script.open = [&owed](Connection& peer) {
            const std::size_t bytes = owed[peer.id().slot() % owed.size()];
            return peer.write(Buffer::adopt(std::string(bytes, 'x'))), Action::none;
        };
        start();
        std::vector<Oracle> oracles;
        for (std::size_t i = 0; i < owed.size(); ++i) {
            oracles.emplace_back(chance.below(2) == 0 ? connect() : connect_slow(), chance,
                                 may_filter_tcp());
        }
        ASSERT_TRUE(eventually([&] { return engine().connection_count() == owed.size(); }));
        settle();
        for (Oracle& oracle : oracles) oracle.begin();
        judge(stop_beside(oracles, milliseconds{chance.below(60)}), oracles);
    }

    StopReport stop_beside(std::vector<Oracle>& oracles, Duration granted) {
        engine().request_stop(within(granted));
        EXPECT_TRUE(eventually([&] { return engine().state() == EngineState::stopped; },
                               [&] {
                                   for (Oracle& oracle : oracles) oracle.act();
                                   let_others_run();
                               },
                               kNothingToShow));
        return stop();
    }

    void judge(const StopReport& report, std::vector<Oracle>& oracles) {
        const StopReport::Bytes& bytes = report.bytes;
        EXPECT_EQ(bytes.written, bytes.acknowledged + bytes.discarded + bytes.unconfirmed);
        EXPECT_EQ(report.connections.forced, report.forced.size());
        for (Oracle& oracle : oracles) {
            oracle.read_to_end();
            judge(report, oracle);
        }
    }

    void judge(const StopReport& report, const Oracle& oracle) {
        const std::uint64_t missed = written[oracle.address().port] - oracle.received();
        const auto forced = std::ranges::find_if(report.forced, [&](const auto& entry) {
            return entry.peer.port() == oracle.address().port;
        });
        if (forced == report.forced.end()) {
            EXPECT_EQ(missed, 0U) << oracle.describe();
            return;
        }
        EXPECT_LE(forced->bytes_unsent, missed) << oracle.describe();
        EXPECT_LE(missed, forced->bytes_unsent + forced->bytes_unconfirmed) << oracle.describe();
        EXPECT_TRUE(missed == 0 || oracle.has_vanished() || oracle.is_reset()) << "a FIN";
    }
};

TEST_P(EveryByte, IsAcknowledgedDiscardedOrUnconfirmed) {
    if (speaks_records()) GTEST_SKIP() << "a reader of records does not see parts of them";
    options.linger = milliseconds{5};
    script.close = [&](Connection& peer, CloseReason) {
        written[peer.peer_endpoint().port()] = peer.counters().bytes_written;
    };
    const std::size_t first = from_environment("BERTH_BYTE_SEED", 1);
    const std::size_t count = from_environment("BERTH_BYTE_SCHEDULES", 30);
    for (std::size_t seed = first; seed < first + count && !HasFailure(); ++seed) play(seed);
}

BERTH_FOR_EACH_DRIVER(EveryByte);

}  // namespace
}  // namespace berth::test
