// SPDX-License-Identifier: MIT
//
// message: whole messages between processes, and descriptors that travel with them.
//
// A Unix SOCK_SEQPACKET socket keeps the bounds of messages and connects like a stream. Descriptors
// travel with the bytes of a stream, too: they arrive with the first of them at the latest.
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

struct ReceivedPart {
    std::size_t size = 0;        // 0: the peer's end
    bool is_cut = false;         // MSG_TRUNC: the rest of the packet is lost
    bool lost_attached = false;  // MSG_CTRUNC: not all descriptors came
};

// recvmsg(2): a packet, or some bytes of a stream. Of what came with it as much as `attached_max`
// is added to `attached`, close-on-exec and the caller's; with 0 none is let in.
base::Outcome<ReceivedPart> receive_part(int socket, MutableBytes into, std::size_t attached_max,
                                         std::vector<int>& attached);

// sendmsg(2): how many bytes; of a packet, all. What is attached goes with the first of them.
base::Outcome<std::size_t> send_part(int socket, Bytes bytes, std::span<const int> attached);

// The longest packet that the send buffer holds: SO_SNDBUF, socket(7), less what the kernel keeps.
base::Outcome<std::size_t> packet_max(int socket);

}  // namespace berth::os
