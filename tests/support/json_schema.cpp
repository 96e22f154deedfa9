// SPDX-License-Identifier: MIT
//
// JsonSchema: walking schema and value side by side.

#include "support/json_schema.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

namespace berth::test {

namespace {

using nlohmann::json;

bool has_type(const json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    throw std::runtime_error("a type that is not known here: " + type);
}

class Walk {
public:
    std::vector<std::string> complaints;

    void check(const json& schema, const json& value, const std::string& at) {
        refuse_unknown_keywords(schema);
        if (!has_type(value, schema.at("type")))
            return complain(at, "is no " + schema.at("type").get<std::string>());
        if (schema.contains("enum") && !holds(schema["enum"], value))
            complain(at, "is " + value.dump());
        if (schema.contains("minimum") && value < schema["minimum"]) complain(at, "is too small");
        if (value.is_object()) check_members(schema, value, at);
        if (value.is_array()) check_items(schema, value, at);
    }

private:
    static void refuse_unknown_keywords(const json& schema) {
        static const std::set<std::string> known{"$schema", "title",    "description", "type",
                                                 "enum",    "required", "properties",  "items",
                                                 "minimum", "maxItems"};
        for (const auto& [keyword, unused] : schema.items()) {
            if (!known.contains(keyword)) throw std::runtime_error("a keyword: " + keyword);
        }
    }

    static bool holds(const json& list, const json& value) {
        return std::ranges::find(list, value) != list.end();
    }

    void check_members(const json& schema, const json& value, const std::string& at) {
        for (const json& name : schema.value("required", json::array())) {
            if (!value.contains(name)) complain(at + "." + name.get<std::string>(), "is missing");
        }
        for (const auto& [name, member] : value.items()) {
            const std::string place = at + "." + name;
            if (!schema.at("properties").contains(name)) {
                complain(place, "is not described");
            } else {
                check(schema["properties"][name], member, place);
            }
        }
    }

    void check_items(const json& schema, const json& value, const std::string& at) {
        if (value.size() > schema.value("maxItems", value.size())) complain(at, "is too long");
        for (std::size_t i = 0; i < value.size(); ++i) {
            check(schema.at("items"), value[i], at + "[" + std::to_string(i) + "]");
        }
    }

    void complain(const std::string& at, const std::string& what) {
        complaints.push_back(at + " " + what);
    }
};

}  // namespace

std::vector<std::string> breaches_of_schema(const std::string& schema_path, std::string_view text) {
    std::ifstream in(schema_path);
    const json schema = json::parse(in);
    const json value = json::parse(text, nullptr, false);
    if (value.is_discarded()) return {"it is not JSON"};
    Walk walk;
    walk.check(schema, value, "$");
    return walk.complaints;
}

std::string source_file(const std::string& path) {
    return std::filesystem::path(BERTH_SOURCE_DIR) / path;
}

}  // namespace berth::test
