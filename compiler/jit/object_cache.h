// Compiled code on disk, so that the next run of a program does not compile it again. One file per
// object in a folder of the user's; its name is the hash of everything the code depends on: the key
// that the caller gives (printed IR, places in the source, level), the CPU, and this build of the
// compiler. Invariants: an entry is complete or absent (written beside, then renamed), and what
// does not pass its checksum is as good as absent; a folder that others could write to is not used,
// because what it holds is executed; no failure is reported, the cache then just does not help.
// Not here: what is in the key (jit.cpp). See docs/design/object-cache.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "codegen/codegen.h"

namespace dini::jit {

// The linker's hash of this program, empty if it made none.
const std::string& buildId();

struct CachedObject {
  std::string entry;  // the symbol to call
  std::vector<codegen::Site> sites;
  std::string object;  // the bytes of an object file
};

class ObjectCache {
 public:
  static constexpr uint64_t kDefaultLimit = uint64_t{256} << 20;  // bytes of all entries

  // A folder that exists or can be made. Empty: no cache.
  explicit ObjectCache(std::filesystem::path folder, uint64_t limit = kDefaultLimit);

  bool enabled() const { return !folder_.empty(); }
  // The name of an entry: 64 hexadecimal digits.
  std::string nameOf(const std::string& key, const codegen::Target& target) const;
  std::optional<CachedObject> find(const std::string& name) const;
  void store(const std::string& name, const CachedObject& object) const;

 private:
  std::filesystem::path pathOf(const std::string& name) const { return folder_ / (name + ".o"); }
  void trim() const;  // the longest unused entries go

  std::filesystem::path folder_;
  uint64_t limit_;
};

}  // namespace dini::jit
