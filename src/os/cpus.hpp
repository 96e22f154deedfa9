// SPDX-License-Identifier: MIT
//
// cpus: how many CPUs this process may keep busy.
//
// A container often sees all CPUs of its host and may use two: the affinity mask does not tell,
// the cgroup's quota does.
//
// Threads:   any.
// See:       sched_setaffinity(2), cgroups(7), cpu.max and cpu.cfs_quota_us in the kernel's
//            cgroup documentation, proc_pid_mountinfo(5).

#pragma once

#include "base/outcome.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace berth::os {

// The CPUs of the affinity mask, at most the quota rounded up, at least 1.
std::size_t usable_cpus();

// The tightest CPU quota of this process's cgroup and those above it, versions 2 and 1, in CPUs.
// `root` is where /proc and /sys are found.
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root = "/");

// The calling thread on one CPU, the n-th of its affinity mask, round and round.
base::Outcome<void> pin_thread(std::size_t nth);

}  // namespace berth::os
