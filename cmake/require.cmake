# SPDX-License-Identifier: MIT
#
# berth_require(PACKAGE DEBIAN_PACKAGE OPTION): find_package that says what to do when it fails.

function(berth_require package debian_package option)
    find_package(${package} QUIET GLOBAL)
    if(NOT ${package}_FOUND)
        message(FATAL_ERROR "${package} was not found, and ${option} is ON.\n"
            "Install it:           apt install ${debian_package}\n"
            "or do without it:     cmake -D${option}=OFF …")
    endif()
endfunction()
