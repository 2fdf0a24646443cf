// How build systems find a library: a pkg-config file and a CMake package.
#include <fmt/format.h>

#include "library/headers.h"

namespace dini::library {

std::string pkgConfig(const Library& library, const std::string& folder) {
  return fmt::format(
      "prefix={0}\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n\n"
      "Name: {1}\nDescription: functions compiled from Dini\nVersion: 1\n"
      "Cflags: -I${{includedir}}\nLibs: -L${{libdir}} -l{1}\n"
      "Libs.private: -lmvec -lm -ldl\n",
      folder, library.name);
}

std::string cmakePackage(const Library& library) {
  return fmt::format(
      "# Targets {0}::static and {0}::shared; {0}::{0} is the static one.\n"
      "get_filename_component(_dini_prefix \"${{CMAKE_CURRENT_LIST_DIR}}/../../..\" ABSOLUTE)\n"
      "if(NOT TARGET {0}::static)\n"
      "  add_library({0}::static STATIC IMPORTED)\n"
      "  set_target_properties({0}::static PROPERTIES\n"
      "    IMPORTED_LOCATION \"${{_dini_prefix}}/lib/lib{0}.a\"\n"
      "    INTERFACE_INCLUDE_DIRECTORIES \"${{_dini_prefix}}/include\"\n"
      "    INTERFACE_LINK_LIBRARIES \"mvec;m;${{CMAKE_DL_LIBS}}\")\n"
      "  add_library({0}::{0} INTERFACE IMPORTED)\n"
      "  set_target_properties({0}::{0} PROPERTIES INTERFACE_LINK_LIBRARIES {0}::static)\n"
      "endif()\n"
      "if(NOT TARGET {0}::shared AND EXISTS \"${{_dini_prefix}}/lib/lib{0}.so\")\n"
      "  add_library({0}::shared SHARED IMPORTED)\n"
      "  set_target_properties({0}::shared PROPERTIES\n"
      "    IMPORTED_LOCATION \"${{_dini_prefix}}/lib/lib{0}.so\"\n"
      "    INTERFACE_INCLUDE_DIRECTORIES \"${{_dini_prefix}}/include\")\n"
      "endif()\n"
      "unset(_dini_prefix)\n",
      library.name);
}

}  // namespace dini::library
