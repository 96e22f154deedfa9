// SPDX-License-Identifier: MIT
//
// Serve flags: every option of the library has its flag, and `berth serve` a few of its own.

#pragma once

#include "serve.hpp"

#include <CLI/App.hpp>

namespace berth::app {

void add_serve(CLI::App& program, ServeSettings& settings);

}  // namespace berth::app
