// The texts that go beside a library's code: C and C++ headers, pkg-config file, CMake package.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/embedded.h"
#include "library/interface.h"

namespace dini {
// dini.h, status.h and library.hpp of the runtime, by these names without their extensions.
std::span<const EmbeddedText> runtimeHeaders();
}  // namespace dini

namespace dini::library {

struct Library {
  std::string name;  // "model": libmodel.a, model.h
  std::vector<Function> functions;
};

std::string cHeader(const Library& library);
std::string cppHeader(const Library& library);
std::string pkgConfig(const Library& library, const std::string& folder);
std::string cmakePackage(const Library& library);

}  // namespace dini::library
