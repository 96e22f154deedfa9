// SPDX-License-Identifier: MIT
//
// RecordCodec: the protocol of record_transport.hpp once more, for peers: text in, text out.
//
// It shares no code with the transport, so that each checks the other. It is the impatient kind
// of peer: its half of the handshake leaves at once, and it sends without waiting for
// acknowledgements; but it insists that the other side does wait.
//
// Threads:   one may seal and say goodbye while another receives.
// Errors:    throws std::runtime_error at what the protocol forbids.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth::test {

class RecordCodec {
public:
    // ── What to send ─────────────────────────────────────────────────────────────────────────
    static std::string handshake();
    std::string seal(std::string_view plain);  // as many records as it takes
    std::string goodbye();                     // empty the second time

    // ── What came ────────────────────────────────────────────────────────────────────────────
    void receive(std::string_view wire);
    std::string take_plain(std::size_t max);
    std::string take_answers();  // to be sent before more is received
    bool has_ended() const { return ended_; }

private:
    bool receive_record();
    void obey(char type, std::string_view payload);
    void obey_handshake(char type, std::string_view payload);
    void open(std::string_view payload);

    std::atomic<bool> said_goodbye_ = false;
    std::uint64_t sealed_ = 0;  // data records

    std::string wire_;  // not yet a record
    std::string plain_;
    std::string answers_;
    int handshakes_ = 0;  // records of the handshake that came
    std::uint64_t opened_ = 0;
    bool ended_ = false;
};

}  // namespace berth::test
