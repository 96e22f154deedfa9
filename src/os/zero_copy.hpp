// SPDX-License-Identifier: MIT
//
// Bytes that the kernel moves by itself: files to sockets, sockets to sockets; and the calls that
// do by copying what is left.

#pragma once

#include "base/outcome.hpp"

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>

namespace berth::os {

// How many bytes the socket took; 0: the file ends at `offset`. The SIGPIPE that the kernel raises
// where the peer is gone, and that MSG_NOSIGNAL cannot prevent here, is taken back.
base::Outcome<std::size_t> send_file(int socket, int file, std::uint64_t offset, std::size_t count);

struct Pipe {
    int reader;
    int writer;
};
// Non-blocking, close-on-exec, as long as this user may have it up to 1 MiB.
base::Outcome<Pipe> open_pipe();

struct SpliceWay {
    int from;
    int reader;
    int writer;
    int to;
};
struct Spliced {
    std::size_t taken;
    std::size_t sent;
    int send_errno;
};
// splice(2) into the pipe, and out of it. No SIGPIPE, either.
base::Outcome<Spliced> splice_through(const SpliceWay& way, std::size_t count);
base::Outcome<std::size_t> read_now(int descriptor, MutableBytes into);

base::Outcome<std::size_t> read_at(int file, MutableBytes into, std::uint64_t offset);

}  // namespace berth::os
