# SPDX-License-Identifier: MIT
#
# Compiles through ccache where it is installed and the caller has not chosen a launcher.

find_program(BERTH_CCACHE ccache)
if(BERTH_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${BERTH_CCACHE})
endif()
