// SPDX-License-Identifier: MIT
//
// Process: a program that a test runs, watches and ends.
//
// Its standard output and standard error are read as they come, so that it never waits for the
// test; no call waits longer than patience().
//
// Lifetime:  a process that is still running when its object goes is killed, and always reaped.
// Errors:    throw std::runtime_error with everything that the program said.

#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace berth::test {

class Process {
public:
    using Words = std::vector<std::string>;

    // words[0] is the program. `environment`: "NAME=value", added to this process's own.
    explicit Process(const Words& words, const Words& environment = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // The next line of standard output, without its end.
    std::string read_line();
    int id() const { return id_; }
    void signal(int number) const;
    // Waits for the end: the exit status, or 128 + signal as a shell would say.
    int wait();
    // Whether it has ended, without waiting.
    bool has_ended();

    // What is left of standard output, and all of standard error; whole after wait().
    const std::string& output() const { return output_.text; }
    const std::string& messages() const { return messages_.text; }
    std::string last_message() const;  // the last line of standard error

private:
    struct Pipe {
        int reader = -1;
        std::string text;

        Pipe() = default;
        Pipe(const Pipe&) = delete;
        Pipe& operator=(const Pipe&) = delete;
        ~Pipe() { close(); }
        bool is_open() const { return reader >= 0; }
        void read();
        void close();
    };

    bool read_more(std::chrono::milliseconds patience);
    [[noreturn]] void fail(const std::string& what) const;

    std::string program_;
    int id_ = -1;
    int status_ = -1;  // once reaped
    Pipe output_;
    Pipe messages_;
};

// `berth` with these words.
Process::Words berth_words(const Process::Words& words);

}  // namespace berth::test
