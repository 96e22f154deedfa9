// SPDX-License-Identifier: MIT
//
// Transported: the fixture for tests about transports: an engine that speaks records, and peers
// that speak them by hand (record_transport.hpp has the protocol).

#pragma once

#include "integration/support_engine.hpp"
#include "support/record_codec.hpp"

#include <cstddef>
#include <string>

namespace berth::test {

inline constexpr std::size_t kPlenty = 1U << 20U;

inline const std::string kHello("\0\5\1berth", 8);
inline const std::string kConfirm("\0\0\2", 3);
inline const std::string kAcknowledge("\0\0\4", 3);
inline const std::string kGoodbye("\0\0\5", 3);
inline const std::string kAlert("\0\0\6", 3);
inline constexpr std::size_t kFullRecord = 3 + (16U << 10U);
inline constexpr std::size_t kWindow = 8;  // records until an acknowledgement

class Transported : public AnEngine {
protected:
    // Speaks by hand, and has not said anything yet.
    RawPeer connect_silent() const { return RawPeer::connect(target()); }
    // The same after its half of the handshake; the engine's half is read.
    RawPeer connect_by_hand() const {
        RawPeer peer = connect_silent();
        greet(peer);
        return peer;
    }
    static void greet(RawPeer& peer) {
        peer.send(kHello + kConfirm);
        EXPECT_EQ(peer.read(kHello.size() + kConfirm.size()), kHello + kConfirm);
    }
    static Action write_plenty(Connection& peer) {
        peer.write(Buffer::adopt(pattern(kPlenty)));
        return Action::none;
    }
    void expect_nothing_was_opened() {
        EXPECT_TRUE(eventually([&] { return engine().connection_count() == 0; }));
        EXPECT_EQ(script.count("on_open") + script.count("on_close"), 0U);
    }

    RecordCodec codec;  // for the peer
};

}  // namespace berth::test
