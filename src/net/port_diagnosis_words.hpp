// SPDX-License-Identifier: MIT
//
// What is said about a finding: the evidence as one sentence, and what to do as commands.

#pragma once

#include "net/port_diagnosis_decision.hpp"

#include <string>

namespace berth::net {

std::string evidence_text(const PortEvidence& evidence, const Finding& finding);
std::string remedy_text(const PortEvidence& evidence, const Finding& finding);

}  // namespace berth::net
