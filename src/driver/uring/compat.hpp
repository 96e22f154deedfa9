// SPDX-License-Identifier: MIT
//
// compat: what newer kernels offer and <linux/io_uring.h> of Linux 6.1 (Debian 12) does not name.
//
// Each constant stands here with the version whose header makes it superfluous. None of them is
// relied on: the ring asks the kernel, and does without.

#pragma once

#include <cstdint>

namespace berth::driver::uring {

// Linux 6.12: IOU_PBUF_RING_INC, in io_uring_buf_reg::flags (`pad` before). A completion uses up
// only as much of a buffer as it needs.
inline constexpr std::uint16_t kIncrementalBuffers = 2;

// Linux 6.12: IORING_CQE_F_BUF_MORE. The buffer of this completion will be used on.
inline constexpr std::uint32_t kBufferGoesOn = 1U << 4U;

// Linux 6.10: IORING_ACCEPT_POLL_FIRST, in io_uring_sqe::ioprio. An accept makes nothing, and fails
// for want of nothing, before there is a client.
inline constexpr std::uint16_t kAcceptPollFirst = 1U << 2U;

// No flag tells of it, but one that came with it: IORING_FEAT_RECVSEND_BUNDLE.
inline constexpr std::uint32_t kAcceptPollFirstFeature = 1U << 14U;

}  // namespace berth::driver::uring
