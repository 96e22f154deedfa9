// SPDX-License-Identifier: MIT
//
// message: whole messages between processes, and descriptors that travel with them.
//
// A Unix SOCK_SEQPACKET socket keeps the bounds of messages and connects like a stream.
//
// Threads:   any thread. Nothing blocks.
// See:       unix(7), cmsg(3), SCM_RIGHTS.

#pragma once

#include "base/outcome.hpp"

#include <berth/bytes.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace berth::os {

// SCM_MAX_FD: as many descriptors as one message may carry.
inline constexpr std::size_t kAttachedMax = 253;

struct ReceivedMessage {
    std::size_t size = 0;  // 0: the peer is gone
    std::vector<int> attached;
};

// socketpair(2): both non-blocking, close-on-exec.
base::Outcome<std::pair<int, int>> message_pair();

// sendmsg(2): all of it or nothing. EAGAIN: no room now. EINVAL: more than kAttachedMax.
base::Outcome<void> send_message(int socket, Bytes bytes, std::span<const int> attached);

// recvmsg(2): one message. What came with it is close-on-exec and the caller's. EMSGSIZE: `into`
// was too small, or descriptors were lost on the way (MSG_CTRUNC: also when this process is at
// its limit); those that came are closed, so that half a message is none.
base::Outcome<ReceivedMessage> receive_message(int socket, MutableBytes into);

}  // namespace berth::os
