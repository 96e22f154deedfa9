// SPDX-License-Identifier: MIT
//
// Task: something that another thread wants done on a loop.
//
// Lifetime:  from a successful post() the loop owns it, and answers with exactly one of run()
//            and cancel(), either of which gives the task back to whoever made it.
// Threads:   posted from any; run or cancelled on the loop's.

#pragma once

namespace berth::loop {

class Task {
public:
    Task* next = nullptr;  // the queue's

    Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    virtual void run() = 0;
    virtual void cancel() = 0;  // the loop ends without running it

protected:
    ~Task() = default;
};

}  // namespace berth::loop
