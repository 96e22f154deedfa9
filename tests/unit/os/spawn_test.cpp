// SPDX-License-Identifier: MIT
//
// spawn: the program runs with what it was given, and nothing else of ours; or it is said why not.
//
// Method: a shell that writes into a pipe of the test.

#include "os/spawn.hpp"

#include "os/owned_descriptor.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace berth::os {
namespace {

// What the command writes to the descriptor $BERTH_TEST_FD, until it and all its kind have ended.
std::string output_of(const std::string& script) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const OwnedDescriptor reader(ends[0]);
    OwnedDescriptor writer(ends[1]);
    const std::vector<std::string> command{"sh", "-c", script};
    const int number = writer.number();
    const auto spawned = spawn(command, "BERTH_TEST_FD=" + std::to_string(number), number);
    EXPECT_TRUE(spawned) << spawned.errno_value();
    close(writer.release());
    std::string text;
    std::array<char, 256> part{};
    for (ssize_t count = 1; count > 0;) {
        count = ::read(reader.number(), part.data(), part.size());
        if (count > 0) text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
}

TEST(Spawn, GivesTheProgramItsVariableAndItsDescriptor) {
    EXPECT_EQ(output_of("printf hello >&$BERTH_TEST_FD"), "hello");
}

TEST(Spawn, GivesItNoOtherDescriptorOfOurs) {
    const OwnedDescriptor kept(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const std::string number = std::to_string(kept.number());
    EXPECT_EQ(output_of("test -e /proc/$$/fd/" + number + "; printf $? >&$BERTH_TEST_FD"), "1");
}

TEST(Spawn, MakesItNobodysChild) {
    static_cast<void>(output_of("printf x >&$BERTH_TEST_FD"));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
}

TEST(Spawn, KeepsTheEnvironmentAndReplacesTheVariable) {
    ::setenv("BERTH_TEST_FD", "stale", 1);
    ::setenv("BERTH_TEST_OTHER", "other", 1);
    EXPECT_EQ(output_of("printf $BERTH_TEST_OTHER >&$BERTH_TEST_FD"), "other");
    ::unsetenv("BERTH_TEST_FD");
    ::unsetenv("BERTH_TEST_OTHER");
}

TEST(Spawn, SaysThatThereIsNoSuchProgram) {
    const std::vector<std::string> missing{"/nowhere/berth"};
    EXPECT_EQ(spawn(missing, "A=b", 0).errno_value(), ENOENT);
    const std::vector<std::string> unknown{"berth-test-no-such-program"};
    EXPECT_EQ(spawn(unknown, "A=b", 0).errno_value(), ENOENT);
}

TEST(Spawn, SaysThatAFileIsNoProgram) {
    const test::TempDir folder;
    std::ofstream(folder.file("text")) << "no program";
    const std::vector<std::string> command{folder.file("text")};
    EXPECT_EQ(spawn(command, "A=b", 0).errno_value(), EACCES);
}

TEST(TakeVariable, RemovesWhatItReads) {
    ::setenv("BERTH_TEST_TAKEN", "7", 1);
    EXPECT_EQ(take_variable("BERTH_TEST_TAKEN"), "7");
    EXPECT_EQ(take_variable("BERTH_TEST_TAKEN"), "");
}

}  // namespace
}  // namespace berth::os
