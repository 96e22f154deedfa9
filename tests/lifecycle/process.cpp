// SPDX-License-Identifier: MIT
//
// Process: posix_spawn(3), two pipes and poll(2).

#include "process.hpp"

#include "support/eventually.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace berth::test {

namespace {

std::vector<char*> pointers_to(Process::Words& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

// First what is added: of two values of one name, getenv(3) takes the first.
Process::Words with_environment(Process::Words added) {
    for (char** variable = environ; *variable != nullptr; ++variable) added.emplace_back(*variable);
    return added;
}

std::pair<int, int> open_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    return {ends[0], ends[1]};
}

}  // namespace

Process::Process(const Words& words, const Words& environment) : program_(words.at(0)) {
    const auto [output_reader, output_writer] = open_pipe();
    const auto [messages_reader, messages_writer] = open_pipe();
    output_.reader = output_reader;
    messages_.reader = messages_reader;

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, output_writer, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, messages_writer, STDERR_FILENO);
    Words own_words = words;
    Words own_environment = with_environment(environment);
    const int error =
        ::posix_spawn(&id_, program_.c_str(), &actions, nullptr, pointers_to(own_words).data(),
                      pointers_to(own_environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(output_writer);
    ::close(messages_writer);
    if (error != 0) fail("cannot be started");
}

Process::~Process() {
    if (id_ > 0 && !has_ended()) {
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
    }
}

std::string Process::read_line() {
    std::size_t end = 0;
    while ((end = output_.text.find('\n')) == std::string::npos) {
        if (!output_.is_open()) fail("ended before it wrote a line");
        if (!read_more(patience())) fail("did not write a line");
    }
    const std::string line = output_.text.substr(0, end);
    output_.text.erase(0, end + 1);
    return line;
}

void Process::signal(int number) const { ::kill(id_, number); }

int Process::wait() {
    while (output_.is_open() || messages_.is_open()) {
        if (!read_more(patience())) fail("did not end");
    }
    // Both pipes are closed: it is gone, or about to be.
    if (!eventually([this] { return has_ended(); })) fail("did not end");
    return status_;
}

bool Process::has_ended() {
    if (status_ >= 0) return true;
    int state = 0;
    if (::waitpid(id_, &state, WNOHANG) != id_) return false;
    status_ = WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
    return true;
}

std::string Process::last_message() const {
    const std::string& text = messages_.text;
    if (text.empty() || text.back() != '\n') return text;
    const std::size_t start = text.rfind('\n', text.size() - 2);
    const std::size_t first = start == std::string::npos ? 0 : start + 1;
    return text.substr(first, text.size() - 1 - first);
}

// False: nothing came in time. A closed pipe has the number -1, which poll(2) skips.
bool Process::read_more(std::chrono::milliseconds patience) {
    std::array<pollfd, 2> pipes{pollfd{output_.reader, POLLIN, 0},
                                pollfd{messages_.reader, POLLIN, 0}};
    if (::poll(pipes.data(), pipes.size(), static_cast<int>(patience.count())) <= 0) return false;
    if (pipes[0].revents != 0) output_.read();
    if (pipes[1].revents != 0) messages_.read();
    return true;
}

void Process::fail(const std::string& what) const {
    throw std::runtime_error(program_ + " " + what + "; it said: " + output_.text + messages_.text);
}

void Process::Pipe::read() {
    std::array<char, 4096> bytes;
    const auto count = ::read(reader, bytes.data(), bytes.size());
    if (count > 0) {
        text.append(bytes.data(), static_cast<std::size_t>(count));
    } else {
        close();
    }
}

void Process::Pipe::close() {
    if (is_open()) ::close(reader);
    reader = -1;
}

Process::Words berth_words(const Process::Words& words) {
    Process::Words all{BERTH_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

}  // namespace berth::test
