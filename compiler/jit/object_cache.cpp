#include "jit/object_cache.h"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Support/SHA256.h>

#include "jit/jit.h"

namespace dini::jit {

const std::string& buildId() {
  static const std::string id = [] {
    std::string found;
    dl_iterate_phdr(
        [](dl_phdr_info* module, size_t, void* result) {
          for (int k = 0; k < module->dlpi_phnum; ++k) {
            const auto& header = module->dlpi_phdr[k];
            if (header.p_type != PT_NOTE) continue;
            const char* at = reinterpret_cast<const char*>(module->dlpi_addr + header.p_vaddr);
            const char* end = at + header.p_memsz;
            while (at + sizeof(ElfW(Nhdr)) <= end) {
              ElfW(Nhdr) note;
              std::memcpy(&note, at, sizeof note);
              const char* data = at + sizeof note + (note.n_namesz + 3) / 4 * 4;
              if (note.n_type == NT_GNU_BUILD_ID)
                static_cast<std::string*>(result)->assign(data, note.n_descsz);
              at = data + (note.n_descsz + 3) / 4 * 4;
            }
          }
          return 1;  // the first module is the program
        },
        &found);
    return found;
  }();
  return id;
}

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "dini object 1\n";
constexpr size_t kHashBytes = 32;

std::string hashOf(std::string_view bytes) {
  llvm::SHA256 hash;
  hash.update(llvm::StringRef(bytes.data(), bytes.size()));
  const auto digest = hash.final();
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

class Writer {
 public:
  std::string bytes;
  void number(int64_t value) { raw(&value, sizeof value); }
  void text(std::string_view value) {
    number(static_cast<int64_t>(value.size()));
    bytes += value;
  }

 private:
  void raw(const void* data, size_t size) { bytes.append(static_cast<const char*>(data), size); }
};

// Gives zeros and empty texts after the end; `good` says whether all that was asked for was there.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  int64_t number() { return raw<int64_t>(); }
  size_t count() {
    const int64_t value = number();
    if (value < 0 || static_cast<uint64_t>(value) > rest_.size()) good_ = false;
    return good_ ? static_cast<size_t>(value) : 0;
  }
  std::string text() {
    const size_t size = count();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  bool good() const { return good_ && rest_.empty(); }

 private:
  template <class T>
  T raw() {
    T value{};
    if (rest_.size() < sizeof value) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view rest_;
  bool good_ = true;
};

// Names every member: a new one does not compile until it is written and read here.
void write(Writer& out, const codegen::Site& site) {
  const auto& [span, text, clarke, code, types] = site;
  out.number(span.file.index);
  out.number(span.begin);
  out.number(span.end);
  out.text(text);
  out.number(clarke ? 1 : 0);
  out.number(static_cast<int64_t>(code));
  out.number(static_cast<int64_t>(types.size()));
  for (const ir::Type& type : types) {
    out.number(static_cast<int64_t>(type.elem));
    out.number(static_cast<int64_t>(type.dims.size()));
    for (int64_t dim : type.dims) out.number(dim);
  }
}

codegen::Site readSite(Reader& in) {
  codegen::Site site;
  site.span.file.index = static_cast<int32_t>(in.number());
  site.span.begin = static_cast<uint32_t>(in.number());
  site.span.end = static_cast<uint32_t>(in.number());
  site.text = in.text();
  site.clarke = in.number() != 0;
  site.code = static_cast<ir::OpCode>(in.number());
  site.types.resize(in.count());
  for (ir::Type& type : site.types) {
    type.elem = static_cast<ir::Elem>(in.number());
    type.dims.resize(in.count());
    for (int64_t& dim : type.dims) dim = in.number();
  }
  return site;
}

// Nobody else may have put code there.
bool isPrivate(const fs::path& folder) {
  struct stat status = {};
  return ::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

ObjectCache::ObjectCache(fs::path folder, uint64_t limit) : limit_(limit) {
  if (folder.empty() || buildId().empty()) return;
  std::error_code failure;
  if (fs::create_directories(folder, failure) && !failure)
    fs::permissions(folder, fs::perms::owner_all, failure);
  if (isPrivate(folder)) folder_ = std::move(folder);
}

std::string ObjectCache::nameOf(const std::string& key, const codegen::Target& target) const {
  const std::string all = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", buildId(), target.triple,
                                      target.cpu, target.features, target.vector_lanes, key);
  return llvm::toHex(hashOf(all), true);
}

std::optional<CachedObject> ObjectCache::find(const std::string& name) const {
  if (!enabled()) return std::nullopt;
  const fs::path path = pathOf(name);
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::string_view all = bytes;
  std::error_code failure;
  const size_t head = kMagic.size() + kHashBytes;
  if (!all.starts_with(kMagic) || all.size() < head ||
      all.substr(kMagic.size(), kHashBytes) != hashOf(all.substr(head))) {
    fs::remove(path, failure);
    return std::nullopt;
  }
  Reader in(all.substr(head));
  CachedObject found;
  found.entry = in.text();
  found.sites.resize(in.count());
  for (codegen::Site& site : found.sites) site = readSite(in);
  found.object = in.text();
  if (!in.good()) return std::nullopt;
  fs::last_write_time(path, fs::file_time_type::clock::now(), failure);  // used last now
  return found;
}

void ObjectCache::store(const std::string& name, const CachedObject& object) const {
  if (!enabled()) return;
  Writer body;
  body.text(object.entry);
  body.number(static_cast<int64_t>(object.sites.size()));
  for (const codegen::Site& site : object.sites) write(body, site);
  body.text(object.object);
  static std::atomic<int> counter{0};
  const fs::path beside =
      folder_ / fmt::format("{}.{}.{}.part", name, ::getpid(), counter.fetch_add(1));
  std::error_code failure;
  std::ofstream file(beside, std::ios::binary);
  file << kMagic << hashOf(body.bytes) << body.bytes;
  file.close();
  if (file) fs::rename(beside, pathOf(name), failure);
  if (!file || failure) fs::remove(beside, failure);
  trim();
}

void ObjectCache::trim() const {
  struct Entry {
    fs::file_time_type used;
    uint64_t bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code failure;
  for (fs::directory_iterator at(folder_, failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code gone;  // by another process
    const Entry entry{at->last_write_time(gone), at->file_size(gone), at->path()};
    if (gone) continue;
    total += entry.bytes;
    entries.push_back(entry);
  }
  if (total <= limit_) return;
  std::ranges::sort(entries, {}, &Entry::used);
  for (const Entry& entry : entries) {
    if (total <= limit_ / 4 * 3) break;
    fs::remove(entry.path, failure);
    total -= entry.bytes;
  }
}

fs::path cacheFolder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  const std::string chosen = variable("DINI_CACHE");
  if (chosen == "off") return {};
  if (!chosen.empty()) return chosen;
  const fs::path base = variable("XDG_CACHE_HOME");
  if (base.is_absolute()) return base / "dini";
  const fs::path home = variable("HOME");
  return home.is_absolute() ? home / ".cache" / "dini" : fs::path();
}

}  // namespace dini::jit
