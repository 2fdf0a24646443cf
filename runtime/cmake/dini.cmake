# dini_add_library(TARGET model.dini
#   [FUNCTIONS f g ...]        functions to compile; default: all of the file
#   [DERIVATIVES grad vjp ...] of each: grad, value_and_grad, jvp, vjp, jac, hess, split
#   [DIMS n=3 ...]             sizes known now
#   [CPU native ...]           or x86-64-v2, x86-64-v3, x86-64-v4
#   [PREFIX p_] [TIES average] [ON_FAILURE nan] [NO_BLAS])
#
# Compiles a Dini model into a static library that a CMake project links: after
#   include(<dini>/runtime/cmake/dini.cmake)
#   dini_add_library(pendulum pendulum.dini DERIVATIVES grad)
#   target_link_libraries(controller PRIVATE pendulum)
# the sources of `controller` include <pendulum.hpp> or <pendulum.h>. The library is made again when
# the model, a file that it imports, or the compiler changes. The compiler is DINI_EXECUTABLE, by
# default the one built beside this file or the `dini` in the path.
include_guard(GLOBAL)
find_program(DINI_EXECUTABLE dini HINTS "${CMAKE_CURRENT_LIST_DIR}/../../build/bin")

function(dini_add_library target model)
  cmake_parse_arguments(ARG "NO_BLAS" "PREFIX;TIES;ON_FAILURE" "FUNCTIONS;DERIVATIVES;DIMS;CPU" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "dini_add_library: unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT DINI_EXECUTABLE)
    message(FATAL_ERROR "dini_add_library: there is no compiler `dini`; set DINI_EXECUTABLE")
  endif()
  get_filename_component(source "${model}" ABSOLUTE)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.dini")
  set(archive "${folder}/lib/lib${target}.a")
  set(depfile "${folder}/model.d")
  set(headers "${target}.h" "${target}.hpp" dini/dini.h dini/library.hpp dini/status.h)
  set(arguments build "${source}" -o "${folder}" --name "${target}" --depfile "${depfile}")
  foreach(function IN LISTS ARG_FUNCTIONS)
    list(APPEND arguments --fn "${function}")
  endforeach()
  foreach(option DERIVATIVES DIMS CPU)
    if(ARG_${option})
      list(JOIN ARG_${option} "," joined)
      string(TOLOWER "${option}" name)
      string(REGEX REPLACE "s$" "" name "${name}")
      if(option STREQUAL "DIMS")
        set(name dims)
      endif()
      list(APPEND arguments "--${name}" "${joined}")
    endif()
  endforeach()
  if(ARG_PREFIX)
    list(APPEND arguments --prefix "${ARG_PREFIX}")
  endif()
  if(ARG_TIES)
    list(APPEND arguments "--ties=${ARG_TIES}")
  endif()
  if(ARG_ON_FAILURE)
    list(APPEND arguments "--on-failure=${ARG_ON_FAILURE}")
  endif()
  if(ARG_NO_BLAS)
    list(APPEND arguments --no-blas)
  endif()
  file(MAKE_DIRECTORY "${folder}/include")
  # Headers are named, so that what includes them is compiled again in the build that changes them.
  list(TRANSFORM headers PREPEND "${folder}/include/")
  add_custom_command(OUTPUT "${archive}"
    BYPRODUCTS ${headers}
    COMMAND "${DINI_EXECUTABLE}" ${arguments}
    DEPENDS "${source}" "${DINI_EXECUTABLE}" DEPFILE "${depfile}"
    COMMENT "Compiling ${model}" VERBATIM)
  add_custom_target(${target}_dini DEPENDS "${archive}")
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION "${archive}"
    INTERFACE_INCLUDE_DIRECTORIES "${folder}/include"
    INTERFACE_LINK_LIBRARIES "mvec;m;${CMAKE_DL_LIBS}")
  add_dependencies(${target} ${target}_dini)
endfunction()
