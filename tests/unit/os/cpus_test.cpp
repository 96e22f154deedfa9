// SPDX-License-Identifier: MIT
//
// cpus: the cgroup's quota is found where containers put it.
//
// Method: a directory that looks like /proc and /sys of the case.

#include "os/cpus.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace berth::os {
namespace {

constexpr const char* kMountV2 =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kMountV1 =
    "33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 25 0:30 / /sys/fs/cgroup/cpuset rw shared:10 - cgroup cgroup rw,cpuset\n";

class CpuQuota : public testing::Test {
protected:
    void write(const std::string& name, const std::string& text) const {
        const auto path = root.path() / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream{path} << text;
    }
    void process(const std::string& cgroup, const std::string& mounts) const {
        write("proc/self/cgroup", cgroup);
        write("proc/self/mountinfo", "23 1 8:1 / / rw - ext4 /dev/vda rw\n" + mounts);
    }
    std::optional<double> quota() const { return cgroup_cpu_quota(root.path()); }

    test::TempDir root;
};

TEST_F(CpuQuota, IsThatOfTheOwnGroup) {
    process("0::/app.slice\n", kMountV2);
    write("sys/fs/cgroup/app.slice/cpu.max", "150000 100000\n");
    EXPECT_EQ(quota(), 1.5);
}

TEST_F(CpuQuota, IsTheTightestOfTheGroupsAbove) {
    process("0::/outer/inner\n", kMountV2);
    write("sys/fs/cgroup/outer/cpu.max", "200000 100000\n");
    write("sys/fs/cgroup/outer/inner/cpu.max", "400000 100000\n");
    EXPECT_EQ(quota(), 2.0);
}

TEST_F(CpuQuota, IsFoundAtTheTopInsideAContainer) {
    process("0::/\n", kMountV2);
    write("sys/fs/cgroup/cpu.max", "50000 100000\n");
    EXPECT_EQ(quota(), 0.5);
}

TEST_F(CpuQuota, IsFoundWhenTheMountShowsOnlyThePartBelowTheContainer) {
    process("4:cpu,cpuacct:/docker/abc/job\n",
            "33 25 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n");
    write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "300000\n");
    write("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(quota(), 3.0);
}

TEST_F(CpuQuota, IsThatOfTheMountPointForAGroupOutsideTheMount) {
    process("0::/../elsewhere\n", kMountV2);
    write("sys/fs/cgroup/cpu.max", "100000 100000\n");
    EXPECT_EQ(quota(), 1.0);
}

TEST_F(CpuQuota, OfVersionOneIsTakenFromTheCpuController) {
    process("5:cpuset:/other\n4:cpu,cpuacct:/app\n", kMountV1);
    write("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us", "250000\n");
    write("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(quota(), 2.5);
}

TEST_F(CpuQuota, IsNoneWhereThereIsNoLimit) {
    process("4:cpu,cpuacct:/\n0::/\n", std::string{kMountV1} + kMountV2);
    write("sys/fs/cgroup/cpu.max", "max 100000\n");
    write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(CpuQuota, IsNoneWithoutCgroups) { EXPECT_EQ(quota(), std::nullopt); }

TEST(Cpus, AreAtLeastOne) { EXPECT_GE(usable_cpus(), 1U); }

}  // namespace
}  // namespace berth::os
