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

# berth_require_header(HEADER DEBIAN_PACKAGE): the same for a header without a package file.
function(berth_require_header header debian_package)
    find_path(BERTH_HEADER_DIR_${debian_package} ${header})
    mark_as_advanced(BERTH_HEADER_DIR_${debian_package})
    if(NOT BERTH_HEADER_DIR_${debian_package})
        message(FATAL_ERROR "<${header}> was not found.\n"
            "Install it:           apt install ${debian_package}")
    endif()
endfunction()
