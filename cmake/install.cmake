# SPDX-License-Identifier: MIT
#
# What `cmake --install` puts where: the library, its headers, and the two ways of finding it,
# find_package(berth) and pkg-config. Both are relocatable: they find the prefix from their own
# place.

include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/berth)

install(TARGETS berth EXPORT berthTargets FILE_SET HEADERS)
install(EXPORT berthTargets NAMESPACE berth:: DESTINATION ${config_dir})
if(BERTH_CARES)
    install(TARGETS berth_cares EXPORT berthCaresTargets FILE_SET HEADERS)
    install(EXPORT berthCaresTargets NAMESPACE berth:: DESTINATION ${config_dir})
endif()
if(BERTH_BUILD_TOOLS)
    install(TARGETS berth_program)
endif()

configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/berthConfig.cmake.in ${PROJECT_BINARY_DIR}/berthConfig.cmake
    INSTALL_DESTINATION ${config_dir}
    NO_SET_AND_CHECK_MACRO)
# Until 1.0 a minor version may break its users.
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/berthConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/berthConfig.cmake ${PROJECT_BINARY_DIR}/berthConfigVersion.cmake
    DESTINATION ${config_dir})

# From lib/<triplet>/pkgconfig back to the prefix; the depth depends on the libdir.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
    BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig OUTPUT_VARIABLE berth_pc_to_prefix)
configure_file(
    ${PROJECT_SOURCE_DIR}/cmake/berth.pc.in ${PROJECT_BINARY_DIR}/berth.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/berth.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(BERTH_CARES)
    # An archive has not been linked to c-ares: its users are.
    set(berth_cares_requires "berth = ${PROJECT_VERSION}")
    set(berth_cares_requires_private libcares)
    if(NOT BUILD_SHARED_LIBS)
        string(APPEND berth_cares_requires ", libcares")
        set(berth_cares_requires_private "")
    endif()
    configure_file(${PROJECT_SOURCE_DIR}/cmake/berth-cares.pc.in
        ${PROJECT_BINARY_DIR}/berth-cares.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/berth-cares.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
