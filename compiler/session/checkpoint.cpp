#include "session/checkpoint.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

namespace dini::session {
namespace {

constexpr std::string_view kMagic = "dini checkpoint 1\n";

class Writer {
 public:
  std::string bytes{kMagic};
  template <class T>
  void raw(const T& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view value) {
    raw(static_cast<uint64_t>(value.size()));
    bytes += value;
  }
  void tensor(const ir::Tensor& tensor) {
    raw(static_cast<int64_t>(tensor.type.elem));
    raw(static_cast<uint64_t>(tensor.type.dims.size()));
    for (int64_t dim : tensor.type.dims) raw(dim);
    bytes.append(static_cast<const char*>(tensor.data()), bytesOf(tensor));
  }
  static size_t bytesOf(const ir::Tensor& tensor) {
    return static_cast<size_t>(tensor.size()) * (tensor.type.elem == ir::Elem::I1 ? 1 : 8);
  }
};

// Gives zeros after the end, and then `good` is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T raw() {
    T value{};
    take(&value, sizeof value);
    return value;
  }
  // A number of things that take at least a byte each.
  size_t count() {
    const auto value = raw<uint64_t>();
    if (value > rest_.size()) good_ = false;
    return good_ ? static_cast<size_t>(value) : 0;
  }
  std::string text() {
    std::string value(count(), '\0');
    take(value.data(), value.size());
    return value;
  }
  ir::Tensor tensor() {
    ir::Type type;
    const auto elem = raw<int64_t>();
    if (elem < 0 || elem > static_cast<int64_t>(ir::Elem::I1)) good_ = false;
    type.elem = static_cast<ir::Elem>(good_ ? elem : 0);
    type.dims.resize(count());
    size_t elements = 1;
    for (int64_t& dim : type.dims) {
      dim = raw<int64_t>();
      if (dim < 0 || __builtin_mul_overflow(elements, static_cast<size_t>(dim), &elements)) good_ = false;
    }
    if (!good_ || elements > rest_.size()) {
      good_ = false;
      return {};
    }
    ir::Tensor made = ir::Tensor::zeros(type);
    take(made.data(), Writer::bytesOf(made));
    return made;
  }
  bool good() const { return good_ && rest_.empty(); }

 private:
  void take(void* to, size_t size) {
    if (!good_ || rest_.size() < size) {
      good_ = false;
      return;
    }
    if (size > 0) std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
  }
  std::string_view rest_;
  bool good_ = true;
};

DataError cannotWrite(const std::string& path) {
  return {DiagCode::CannotWrite,
          fmt::format("cannot write the checkpoint `{}`: {}", path, std::strerror(errno)), ""};
}

bool writeAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

uint64_t hashOf(std::string_view bytes, uint64_t seed) {
  for (const char byte : bytes) seed = (seed ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return seed;
}

uint64_t hashOf(const lower::HostValue& value) {
  Writer out;
  for (const ir::Tensor& leaf : value.leaves) out.tensor(leaf);
  return hashOf(out.bytes);
}

std::string checkpointBytes(const Checkpoint& checkpoint) {
  Writer out;
  out.raw(checkpoint.program);
  out.raw(checkpoint.build);
  out.raw(static_cast<uint64_t>(checkpoint.data.size()));
  for (const DataMark& mark : checkpoint.data) out.text(mark.path), out.raw(mark.hash);
  out.raw(checkpoint.statement);
  out.raw(checkpoint.iterations);
  out.raw(checkpoint.range.lo);
  out.raw(checkpoint.range.step);
  out.raw(checkpoint.range.count);
  out.raw(static_cast<uint64_t>(checkpoint.variables.size()));
  for (const Checkpoint::Variable& variable : checkpoint.variables) {
    out.text(variable.name);
    out.raw(static_cast<uint64_t>(variable.leaves.size()));
    for (const ir::Tensor& leaf : variable.leaves) out.tensor(leaf);
  }
  out.raw(hashOf(out.bytes));
  return std::move(out.bytes);
}

std::optional<Checkpoint> readCheckpoint(std::string_view bytes) {
  uint64_t sum = 0;
  if (bytes.size() < kMagic.size() + sizeof sum || !bytes.starts_with(kMagic)) return std::nullopt;
  std::memcpy(&sum, bytes.data() + bytes.size() - sizeof sum, sizeof sum);
  bytes.remove_suffix(sizeof sum);
  if (hashOf(bytes) != sum) return std::nullopt;
  Reader in(bytes.substr(kMagic.size()));
  Checkpoint made;
  made.program = in.raw<uint64_t>();
  made.build = in.raw<uint64_t>();
  made.data.resize(in.count());
  for (DataMark& mark : made.data) mark.path = in.text(), mark.hash = in.raw<uint64_t>();
  made.statement = in.raw<int64_t>();
  made.iterations = in.raw<int64_t>();
  made.range.lo = in.raw<int64_t>();
  made.range.step = in.raw<int64_t>();
  made.range.count = in.raw<int64_t>();
  made.variables.resize(in.count());
  for (Checkpoint::Variable& variable : made.variables) {
    variable.name = in.text();
    variable.leaves.resize(in.count());
    for (ir::Tensor& leaf : variable.leaves) leaf = in.tensor();
  }
  if (!in.good()) return std::nullopt;
  return made;
}

DataError writeAtomically(const std::string& bytes, const std::string& path) {
  const std::string beside = path + ".new";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return cannotWrite(path);
  const bool good = writeAll(file, bytes) && ::fsync(file) == 0;
  if (::close(file) != 0 || !good) return cannotWrite(path);
  if (::rename(beside.c_str(), path.c_str()) != 0) return cannotWrite(path);
  // The new name is in the folder, which has to reach the disk as well.
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int place = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (place < 0) return cannotWrite(path);
  const bool kept = ::fsync(place) == 0;
  if (::close(place) != 0 || !kept) return cannotWrite(path);
  return {};
}

}  // namespace dini::session
