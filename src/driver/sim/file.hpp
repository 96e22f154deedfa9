// SPDX-License-Identifier: MIT
//
// File: what descriptors refer to. Holding: a descriptor's share in it.
//
// Several descriptors, of several processes, may share one file, and so may a message that is on
// its way with a descriptor attached. The last share to go closes it.
//
// Lifetime:  a Holding keeps its file open.
// Threads:   one.
// See:       dup(2), unix(7) SCM_RIGHTS.

#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace berth::driver::sim {

class Socket;

class File {
public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    virtual ~File() = default;

    virtual Socket* as_socket() { return nullptr; }
    bool is_held() const { return holdings_ > 0; }

private:
    friend class Holding;

    virtual void become_held() {}
    virtual void let_go() {}  // by the last

    std::size_t holdings_ = 0;
};

class Holding {
public:
    Holding() = default;
    explicit Holding(std::shared_ptr<File> file) : file_(std::move(file)) {
        if (file_->holdings_++ == 0) file_->become_held();
    }
    Holding(Holding&&) = default;
    Holding& operator=(Holding&& other) noexcept {
        if (this != &other) {
            release();
            file_ = std::move(other.file_);
        }
        return *this;
    }
    ~Holding() { release(); }

    const std::shared_ptr<File>& file() const { return file_; }
    explicit operator bool() const { return file_ != nullptr; }

    void release() {
        const auto file = std::move(file_);
        if (file != nullptr && --file->holdings_ == 0) file->let_go();
    }

private:
    std::shared_ptr<File> file_;
};

}  // namespace berth::driver::sim
