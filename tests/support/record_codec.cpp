// SPDX-License-Identifier: MIT
//
// RecordCodec: records as text.

#include "support/record_codec.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace berth::test {
namespace {

constexpr std::size_t kPayloadMax = 16'384;
constexpr std::uint64_t kWindow = 8;  // data records without an acknowledgement

constexpr char kHello = 1;
constexpr char kConfirm = 2;
constexpr char kData = 3;
constexpr char kAcknowledge = 4;
constexpr char kGoodbye = 5;

std::string record(char type, std::string_view payload) {
    std::string text;
    text += static_cast<char>(payload.size() / 256);
    text += static_cast<char>(payload.size() % 256);
    text += type;
    return text.append(payload);
}

std::size_t byte_at(std::string_view text, std::size_t index) {
    return static_cast<unsigned char>(text[index]);
}

std::string masked(std::string_view bytes, std::uint64_t number) {
    std::string result(bytes);
    for (char& byte : result) byte = static_cast<char>(byte ^ 0xa5 ^ static_cast<char>(number));
    return result;
}

[[noreturn]] void object(const char* what) {
    throw std::runtime_error(std::string("record protocol: ") + what);
}

}  // namespace

// ── What to send ─────────────────────────────────────────────────────────────────────────────

std::string RecordCodec::handshake() { return record(kHello, "berth") + record(kConfirm, ""); }

std::string RecordCodec::seal(std::string_view plain) {
    std::string records;
    while (!plain.empty()) {
        const std::string_view piece = plain.substr(0, kPayloadMax);
        records += record(kData, masked(piece, sealed_++));
        plain.remove_prefix(piece.size());
    }
    return records;
}

std::string RecordCodec::goodbye() {
    return said_goodbye_.exchange(true) ? std::string() : record(kGoodbye, "");
}

// ── What came ────────────────────────────────────────────────────────────────────────────────

void RecordCodec::receive(std::string_view wire) {
    wire_ += wire;
    while (receive_record()) {
    }
}

bool RecordCodec::receive_record() {
    constexpr std::size_t kHead = 3;
    if (wire_.size() < kHead) return false;
    const std::size_t size = byte_at(wire_, 0) * 256 + byte_at(wire_, 1);
    if (wire_.size() < kHead + size) return false;
    obey(wire_[2], std::string_view(wire_).substr(kHead, size));
    wire_.erase(0, kHead + size);
    return true;
}

void RecordCodec::obey(char type, std::string_view payload) {
    if (ended_) object("something follows the goodbye");
    if (handshakes_ < 2) return obey_handshake(type, payload);
    if (type == kData) return open(payload);
    if (!payload.empty()) object("a control record has a payload");
    if (type == kGoodbye) {
        ended_ = true;
    } else if (type != kAcknowledge) {
        object("an alert, or no record at all");
    }
}

void RecordCodec::obey_handshake(char type, std::string_view payload) {
    const bool is_next = handshakes_ == 0 ? type == kHello && payload == "berth"
                                          : type == kConfirm && payload.empty();
    if (!is_next) object("the handshake is out of order");
    ++handshakes_;
}

void RecordCodec::open(std::string_view payload) {
    if (payload.empty() || payload.size() > kPayloadMax) object("a record of impossible size");
    if (!answers_.empty()) object("data before the acknowledgement it has to wait for");
    plain_ += masked(payload, opened_++);
    if (opened_ % kWindow == 0 && !said_goodbye_) answers_ += record(kAcknowledge, "");
}

std::string RecordCodec::take_plain(std::size_t max) {
    const std::size_t count = std::min(max, plain_.size());
    std::string taken = plain_.substr(0, count);
    plain_.erase(0, count);
    return taken;
}

std::string RecordCodec::take_answers() { return std::exchange(answers_, {}); }

}  // namespace berth::test
