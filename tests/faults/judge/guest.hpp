// SPDX-License-Identifier: MIT
//
// Guest: a client of the server under test, and what became of it.
//
// It has a name of its own before it connects, by which the server can tell it from others. It
// follows its script until the first thing that is not as it should be, and remembers that.
//
// Lifetime:  owns its socket.
// Errors:    none are thrown: trouble() says what went wrong.

#pragma once

#include "support/raw_socket.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace berth::test {

class Guest {
public:
    enum class Manner : std::uint8_t { normal, small_buffer };

    static Guest tcp(std::string role, std::uint16_t port, Manner manner = Manner::normal);
    static Guest unix(std::string role, std::string_view path);

    void say(std::string_view bytes);
    void expect(std::string_view bytes);
    // One byte, one of `choices`; which one, or '\0'.
    char expect_one_of(std::string_view choices);
    void expect_end(Ended ended);
    void end();
    void reset();
    void leave();  // closes, whatever the state

    const std::string& role() const { return role_; }
    const std::string& name() const { return name_; }  // as the server prints it
    bool is_unix() const { return name_.starts_with("unix:"); }
    const std::string& trouble() const { return trouble_; }
    bool is_content() const { return trouble_.empty(); }
    // Never excused, whatever the fault was.
    bool saw_cut_by_fin() const { return saw_cut_by_fin_; }
    bool saw_wrong_bytes() const { return saw_wrong_bytes_; }
    bool waited_in_vain() const { return waited_in_vain_; }

private:
    explicit Guest(std::string role) : role_(std::move(role)) {}
    void attempt(const std::function<void()>& step);
    void note_shortage(std::size_t got, std::size_t wanted);

    std::string role_;
    std::string name_;
    std::optional<RawPeer> peer_;
    std::string trouble_;
    bool saw_cut_by_fin_ = false;
    bool saw_wrong_bytes_ = false;
    bool waited_in_vain_ = false;
};

}  // namespace berth::test
