// SPDX-License-Identifier: MIT
//
// shrink: the shortest script found that still shows a difference, by leaving steps out.
//
// See:       Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.

#pragma once

#include "differential/step.hpp"

#include <functional>

namespace berth::differential {

// `still_differs` holds for `script`, and for what is returned.
Script shrink(Script script, const std::function<bool(const Script&)>& still_differs);

}  // namespace berth::differential
