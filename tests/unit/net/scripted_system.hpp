// SPDX-License-Identifier: MIT
//
// ScriptedSystem: a kernel in which one address is taken, or is not, as the test says.
//
// A bind is refused while `rows` are there, up to `gone_at`. The clock moves only by the test.
// What no script needs fails.
//
// Lifetime:  one per test.

#pragma once

#include "driver/system.hpp"

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

namespace berth::net::scripted {

class ScriptedSystem final : public driver::System {
public:
    using Descriptor = driver::Descriptor;
    template <class T>
    using Outcome = base::Outcome<T>;

    // ── The script ───────────────────────────────────────────────────────────────────────────
    Instant time{};
    std::vector<driver::SocketRow> rows;
    std::vector<driver::SocketHolder> owners;
    Instant gone_at = Instant::never();  // of rows and owners
    int bind_errno = 0;                  // of every bind
    bool allows_filter = true;
    int device_errno = 0;  // of binding to a device
    int group_errno = 0;   // of joining and leaving
    driver::PathFacts path;
    // ── What was done ────────────────────────────────────────────────────────────────────────
    int open = 0;
    int binds = 0;
    bool has_listened = false;
    IpEndpoint joined;
    std::uint32_t joined_by = 0;

    int refusal() const {
        if (bind_errno != 0) return bind_errno;
        return rows.empty() || time >= gone_at ? 0 : EADDRINUSE;
    }

    // ── System ───────────────────────────────────────────────────────────────────────────────
    Instant now() override { return time; }
    std::uint64_t random() override { return 4; }
    Outcome<Descriptor> open_socket(const Endpoint&) override {
        ++open;
        return Descriptor{3};
    }
    Outcome<void> bind(Descriptor, const Endpoint&) override {
        ++binds;
        return outcome(refusal());
    }
    Outcome<void> listen(Descriptor, int) override {
        has_listened = true;
        return {};
    }
    Outcome<void> set(Descriptor, driver::SocketOption, int) override { return {}; }
    Outcome<void> drop_everything(Descriptor) override {
        return outcome(allows_filter ? 0 : EPERM);
    }
    Outcome<std::uint32_t> interface_index(const std::string& name) override {
        if (name == "lo") return std::uint32_t{1};
        return base::failed(ENODEV);
    }
    Outcome<void> join_group(Descriptor, const IpEndpoint& group, std::uint32_t index) override {
        joined = group;
        joined_by = index;
        return outcome(group_errno);
    }
    Outcome<void> leave_group(Descriptor, const IpEndpoint&, std::uint32_t) override {
        return outcome(group_errno);
    }
    Outcome<void> bind_to_device(Descriptor, const std::string&) override {
        return outcome(device_errno);
    }
    void close(Descriptor) override { --open; }
    Outcome<std::vector<driver::SocketRow>> sockets(Scheme, std::uint16_t,
                                                    driver::SocketStates states) override {
        std::vector<driver::SocketRow> shown;
        for (const auto& row : rows) {
            if (states.has(row.state)) shown.push_back(row);
        }
        return shown;
    }
    std::vector<driver::SocketHolder> holders(std::span<const std::uint64_t>) override {
        return owners;
    }
    std::int64_t process_id() override { return 100; }
    std::uint32_t user_id() override { return 1000; }
    Outcome<driver::PathFacts> inspect(const std::string&) override { return path; }
    Outcome<bool> path_has_owner(const std::string&) override { return false; }

    Outcome<driver::Accepted> accept(Descriptor) override { return base::failed(ENOSYS); }
    Outcome<Endpoint> local_endpoint(Descriptor, Scheme) override { return base::failed(ENOSYS); }
    Outcome<Endpoint> peer_endpoint(Descriptor, Scheme) override { return base::failed(ENOSYS); }
    void shutdown(Descriptor) override {}
    Outcome<std::size_t> unacknowledged(Descriptor) override { return base::failed(ENOSYS); }
    Outcome<std::size_t> never_sent(Descriptor) override { return base::failed(ENOSYS); }
    Outcome<Descriptor> open_reserve() override { return base::failed(ENOSYS); }
    std::size_t descriptor_limit() override { return 0; }
    std::size_t descriptors_open() override { return 0; }
    Outcome<Descriptor> lock_directory_of(const std::string&) override {
        ++open;
        return Descriptor{4};
    }
    Outcome<void> unlink(const std::string&) override { return base::failed(ENOSYS); }

private:
    static Outcome<void> outcome(int errno_value) {
        return errno_value == 0 ? Outcome<void>{} : base::failed(errno_value);
    }
};

}  // namespace berth::net::scripted
