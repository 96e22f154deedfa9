// SPDX-License-Identifier: MIT
//
// fuzzer: hands the inputs that libFuzzer makes up to the target.

#include "fuzz.hpp"

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

// The name is libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    berth::fuzz::try_input(std::as_bytes(std::span(data, size)));
    return 0;
}
