// SPDX-License-Identifier: MIT
//
// JsonSchema: does a text have the form that a schema describes?
//
// Of JSON Schema (2020-12) it knows what our schemas use: type, enum, required, properties, items,
// minimum and maxItems. Beyond that it can be strict: a member that the schema does not describe is
// a complaint, so that nothing is written that no page tells of.
//
// Errors:    throws when a schema cannot be read, or uses a keyword that is not known here.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::test {

// What is wrong with `text`; empty: nothing.
std::vector<std::string> breaches_of_schema(const std::string& schema_path, std::string_view text);

// The path of a file of this source tree.
std::string source_file(const std::string& path);

}  // namespace berth::test
