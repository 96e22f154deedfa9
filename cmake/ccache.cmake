# SPDX-License-Identifier: MIT
#
# Compiles through ccache where it is installed and the caller has not chosen a launcher. What one
# checkout has compiled counts for others, too: paths are told relative to the source folder.

find_program(BERTH_CCACHE ccache)
if(BERTH_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${BERTH_CCACHE})
endif()
