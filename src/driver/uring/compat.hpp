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

}  // namespace berth::driver::uring
