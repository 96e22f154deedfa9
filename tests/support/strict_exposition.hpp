// SPDX-License-Identifier: MIT
//
// StrictExposition: reads metrics as strictly as the format allows, and complains.
//
// It shares nothing with the writer. What it asks for beyond the grammar is what
// `promtool check metrics` asks for: help and type for each family, names that end as their type
// demands, no family in two places, no sample twice, and histograms whose buckets rise to _count.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {

struct MetricFamily {
    std::string type;
    std::string help;
    std::map<std::string, double> samples;  // by name and labels, as written
};

class StrictExposition {
public:
    explicit StrictExposition(std::string_view text);

    const std::vector<std::string>& complaints() const { return complaints_; }
    const std::map<std::string, MetricFamily>& families() const { return families_; }
    // -1: no such sample.
    double value(const std::string& sample) const;

private:
    void read_line(std::string_view line);
    void read_help(std::string_view line);
    void read_type(std::string_view line);
    void read_sample(std::string_view line);
    void check_family(const std::string& name, const MetricFamily& family);
    void check_histogram(const std::string& name, const MetricFamily& family);
    void complain(std::string_view what, std::string_view line);

    std::map<std::string, MetricFamily> families_;
    std::string current_;
    std::vector<std::string> complaints_;
};

}  // namespace berth::test
