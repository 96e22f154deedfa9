# SPDX-License-Identifier: MIT
#
# berth_warnings: the warnings that berth's own code is free of. Private to its targets: users
# of the library are not asked to share them. Presets turn them into errors.

add_library(berth_warnings INTERFACE)
target_compile_options(berth_warnings INTERFACE
    -Wall
    -Wextra
    -Wpedantic
    -Wconversion
    -Wshadow
    -Wnon-virtual-dtor
    -Wold-style-cast
)
