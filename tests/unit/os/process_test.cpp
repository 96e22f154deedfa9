// SPDX-License-Identifier: MIT
//
// process, machine, directory: what /proc and /etc say is read as it is written there.

#include "os/process.hpp"

#include "os/calls.hpp"
#include "os/directory.hpp"
#include "os/machine.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace berth::os {
namespace {

TEST(Process, ReadsItsParentAndItsStart) {
    const auto facts =
        parse_stat("42 (my server) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10");
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->command, "my server");
    EXPECT_EQ(facts->parent, 7);
    EXPECT_EQ(facts->start_ticks, 123456U);
}

TEST(Process, ReadsACommandFullOfParentheses) {
    const auto facts = parse_stat("42 (a) S 1 (b)) R 7 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0");
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->command, "a) S 1 (b)");
    EXPECT_EQ(facts->parent, 7);
    EXPECT_EQ(facts->start_ticks, 99U);
}

TEST(Process, ReadsNothingFromWhatIsNoStat) {
    for (const char* text : {"", "42", "42 (x", "42 )x(", "42 (x) S 7 1 2", "42 (x) S seven"}) {
        EXPECT_FALSE(parse_stat(text)) << text;
    }
}

TEST(Process, ReadsItsEffectiveUser) {
    EXPECT_EQ(parse_uid("Name:\tx\nUid:\t1000\t33\t0\t0\nGid:\t1\n"), 33U);
    EXPECT_FALSE(parse_uid("Name:\tx\n"));
    EXPECT_FALSE(parse_uid("Uid:\t1000\n"));
}

TEST(Process, ReadsWhenTheMachineWasStarted) {
    using std::chrono::system_clock;
    EXPECT_EQ(parse_boot_time("cpu  1 2\nbtime 1700000000\nprocesses 3\n"),
              system_clock::time_point{std::chrono::seconds{1'700'000'000}});
    EXPECT_FALSE(parse_boot_time("cpu 1\n"));
    EXPECT_FALSE(parse_boot_time("btime soon\n"));
    EXPECT_FALSE(parse_boot_time("btime -1\n"));
    EXPECT_FALSE(parse_boot_time("btime 100000000000\n"));  // after the clock's end, in 2262
}

TEST(Process, ReadsTheInodeOfASocketLink) {
    EXPECT_EQ(parse_socket_link("socket:[4711]"), 4711U);
    for (const char* text : {"", "socket:[", "socket:[]", "socket:[x]", "pipe:[4711]", "/tmp/a"}) {
        EXPECT_FALSE(parse_socket_link(text)) << text;
    }
}

TEST(Process, ReadsItsOwnFilesOfProc) {
    const auto facts = parse_stat(*read_file("/proc/self/stat"));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->command + '\n', *read_file("/proc/self/comm"));
    EXPECT_EQ(parse_uid(*read_file("/proc/self/status")), user_id());
    EXPECT_TRUE(parse_boot_time(*read_file("/proc/stat")));
}

// ── Users and ports ──────────────────────────────────────────────────────────────────────────

TEST(Machine, FindsAUserByNumber) {
    const std::string passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nwww:x:33:33::/:/no\n";
    EXPECT_EQ(find_user(passwd, 0), "root");
    EXPECT_EQ(find_user(passwd, 33), "www");
    EXPECT_EQ(find_user(passwd, 1), "");
    EXPECT_EQ(find_user("", 0), "");
}

TEST(Machine, ReadsARangeOfPorts) {
    const auto range = parse_port_bounds("32768\t60999\n");
    ASSERT_TRUE(range);
    EXPECT_EQ(range->first, 32768);
    EXPECT_EQ(range->last, 60999);
    for (const char* text : {"", "1", "1 x", "1 70000"}) {
        EXPECT_EQ(parse_port_bounds(text).errno_value(), EPROTO) << text;
    }
}

// ── Directories and links ────────────────────────────────────────────────────────────────────

TEST(Directory, NamesEveryEntryOnce) {
    const test::TempDir temp;
    std::set<std::string> expected;
    for (int number = 0; number < 300; ++number) {
        expected.insert("entry-with-a-long-name-" + std::to_string(number));
        std::ofstream{temp.file("entry-with-a-long-name-" + std::to_string(number))};
    }
    auto directory = Directory::open(temp.path());
    ASSERT_TRUE(directory);
    std::multiset<std::string> seen;
    while (const auto name = directory->next()) seen.emplace(*name);
    EXPECT_EQ(directory->error(), 0);
    EXPECT_EQ(seen, std::multiset<std::string>(expected.begin(), expected.end()));
}

TEST(Directory, SaysWhyItCannotBeOpened) {
    const test::TempDir temp;
    EXPECT_EQ(Directory::open(temp.file("none")).errno_value(), ENOENT);
    std::ofstream{temp.file("file")};
    EXPECT_EQ(Directory::open(temp.file("file")).errno_value(), ENOTDIR);
}

TEST(Links, AreReadFromAPathAndFromADirectory) {
    const test::TempDir temp;
    std::filesystem::create_symlink("/some/where", temp.file("link"));
    EXPECT_EQ(*read_link(temp.file("link")), "/some/where");
    const auto directory = Directory::open(temp.path());
    EXPECT_EQ(*read_link(directory->descriptor(), "link"), "/some/where");
    EXPECT_EQ(read_link(temp.path()).errno_value(), EINVAL);
}

}  // namespace
}  // namespace berth::os
