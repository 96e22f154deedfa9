// SPDX-License-Identifier: MIT
//
// cpus: the affinity mask from the kernel, the quota from the files of the cgroup.

#include "os/cpus.hpp"

#include "os/calls.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <istream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

namespace berth::os {

namespace {

namespace fs = std::filesystem;
using Quota = std::optional<double>;

// Of a file that is not there or cannot be read: nothing.
std::istringstream text_of(const fs::path& file) {
    return std::istringstream{read_file(file).value_or(std::string{})};
}

Quota tighter(Quota a, Quota b) {
    if (!a) return b;
    return b ? std::min(*a, *b) : a;
}

// No quota reads as "max" (version 2) or -1 (version 1).
Quota quota_from(std::istream& quota_file, std::istream& period_file) {
    double quota = 0;
    double period = 0;
    if (!(quota_file >> quota) || !(period_file >> period)) return std::nullopt;
    if (quota <= 0 || period <= 0) return std::nullopt;
    return quota / period;
}

Quota quota_of_group(const fs::path& group) {
    if (const auto text = read_file(group / "cpu.max")) {
        std::istringstream both{*text};
        return quota_from(both, both);
    }
    std::istringstream quota = text_of(group / "cpu.cfs_quota_us");
    std::istringstream period = text_of(group / "cpu.cfs_period_us");
    return quota_from(quota, period);
}

// A quota binds every group below it.
Quota quota_from_group_to_top(fs::path group, const fs::path& top) {
    Quota quota = quota_of_group(group);
    while (group != top && group.has_relative_path()) {
        group = group.parent_path();
        quota = tighter(quota, quota_of_group(group));
    }
    return quota;
}

bool lists(const std::string& names, std::string_view wanted) {
    std::istringstream rest{names};
    for (std::string name; std::getline(rest, name, ',');) {
        if (name == wanted) return true;
    }
    return false;
}

enum class Version : bool { one, two };

// A cgroup file system that has the cpu controller, or may have it.
struct Mount {
    Version version;
    std::string root;  // the group that appears at `point`
    std::string point;
};

// One line: id parent device root point options [tag…] - type source super-options.
std::optional<Mount> mount_from(const std::string& line) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) return std::nullopt;
    std::istringstream left{line.substr(0, dash)};
    std::istringstream right{line.substr(dash + 3)};
    std::string skipped;
    std::string type;
    std::string controllers;
    Mount mount{};
    left >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    right >> type >> skipped >> controllers;
    mount.version = type == "cgroup2" ? Version::two : Version::one;
    const bool is_ours = type == "cgroup2" || (type == "cgroup" && lists(controllers, "cpu"));
    return is_ours ? std::optional{mount} : std::nullopt;
}

// Lines of /proc/self/cgroup: id:controllers:group, where version 2 has no controllers.
std::optional<std::string> own_group(const fs::path& root, Version version) {
    std::istringstream lines = text_of(root / "proc/self/cgroup");
    std::string id;
    std::string controllers;
    std::string group;
    while (std::getline(lines, id, ':') && std::getline(lines, controllers, ':') &&
           std::getline(lines, group)) {
        if (version == Version::two ? controllers.empty() : lists(controllers, "cpu")) return group;
    }
    return std::nullopt;
}

// Where `group` is found below a mount that shows only what is under the mount's own root. A
// container whose group lies outside sees its own limits at the mount point.
fs::path directory_of(const std::string& group, const Mount& mount) {
    const fs::path below = fs::path{group}.lexically_relative(mount.root);
    const bool is_inside = !below.empty() && *below.begin() != "..";
    return is_inside && below != "." ? fs::path{mount.point} / below : fs::path{mount.point};
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const fs::path& root) {
    Quota quota;
    std::istringstream lines = text_of(root / "proc/self/mountinfo");
    for (std::string line; std::getline(lines, line);) {
        const auto mount = mount_from(line);
        if (!mount) continue;
        const auto group = own_group(root, mount->version);
        if (!group) continue;
        const fs::path group_directory = root / directory_of(*group, *mount).relative_path();
        const fs::path top = root / fs::path{mount->point}.relative_path();
        quota = tighter(quota, quota_from_group_to_top(group_directory, top));
    }
    return quota;
}

std::size_t usable_cpus() {
    const auto allowed = affinity_cpus();
    const std::size_t cpus = allowed ? std::max<std::size_t>(1, allowed->size()) : 1;
    const auto quota = cgroup_cpu_quota();
    if (!quota) return cpus;
    return std::min(cpus, static_cast<std::size_t>(std::ceil(*quota)));
}

base::Outcome<void> pin_thread(std::size_t nth) {
    const auto allowed = affinity_cpus();
    if (!allowed) return base::failed(allowed.errno_value());
    if (allowed->empty()) return {};
    return run_on_cpu((*allowed)[nth % allowed->size()]);
}

}  // namespace berth::os
