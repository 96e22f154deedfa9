# SPDX-License-Identifier: MIT
"""layers: folders are floors, an include may only go down; who may know the system."""

# From the ground up. A folder of src/ that is not here does not exist.
FLOORS = ["base", "os", "driver", "loop", "transport", "net", "engine", "observe", "service"]

# The kernel interface that a driver is about; everything else of the system is in os/.
OWN_KERNEL_HEADERS = {
    "src/driver/epoll": {"sys/epoll.h"},
    "src/driver/uring": {"liburing.h", "linux/io_uring.h"},
}

THIRD_PARTY = ("CLI/", "benchmark/", "concurrentqueue/", "fmt/", "gmock/", "gtest/", "nlohmann/",
               "spdlog/")


def layer(file):
    if not file.inside("src"):
        return
    floor = file.path.split("/")[1]
    if floor not in FLOORS:
        yield file.breach(1, "layer", f"src/{floor} is not a layer", "one of " + " ".join(FLOORS))
        return
    for include in file.includes:
        if not include.quoted:
            continue
        target = include.name.split("/")[0]
        if target not in FLOORS or "/" not in include.name:
            yield file.breach(include.line, "layer", f'"{include.name}" is not in src/',
                              'write the path from src/: "base/slab.hpp"')
        elif FLOORS.index(target) > FLOORS.index(floor):
            yield file.breach(include.line, "layer", f"{floor}/ includes {target}/ above it",
                              "an include may only go down: " + " < ".join(FLOORS))


def system_header(file):
    if not file.inside("src", "apps", "examples") or file.inside("src/os"):
        return
    allowed = OWN_KERNEL_HEADERS.get(file.path.rpartition("/")[0], set())
    for include in file.includes:
        if is_system(include) and include.name not in allowed:
            yield file.breach(include.line, "system-header", f"<{include.name}> outside src/os",
                              "go through os/, or include the <c…> header of the standard library")


def third_party(file):
    if not file.inside("src", "include"):
        return
    for include in file.includes:
        if include.name.startswith(THIRD_PARTY):
            yield file.breach(include.line, "third-party", f"<{include.name}> in the library",
                              "it would become every user's dependency: programs only")


def public_include(file):
    if not file.inside("include", "examples"):
        return
    for include in file.includes:
        if include.quoted or (is_system(include) and file.inside("include")):
            yield file.breach(include.line, "public-include",
                              f"{include.name}: neither <berth/…> nor the standard library",
                              "the public API shows nothing of src/ or of the system")


def is_system(include):
    return (not include.quoted and include.name.endswith(".h")
            and not include.name.startswith(THIRD_PARTY))
