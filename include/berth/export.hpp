// SPDX-License-Identifier: MIT
//
// The export mark: what libberth.so shows. Everything else is hidden.

#pragma once

#define BERTH_EXPORT [[gnu::visibility("default")]]
