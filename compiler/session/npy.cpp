// NumPy's .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
// Magic, version, header length, a Python dictionary with descr, fortran_order and shape, data.
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "session/data_file.h"

static_assert(std::endian::native == std::endian::little, "npy data is copied as it stands");

namespace dini::session {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
};

// Reads the header's dictionary literal: keys in any order, each once.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  std::optional<Header> read() {
    Header header;
    bool descr = false, order = false, shape = false;
    if (!take("{")) return std::nullopt;
    while (!take("}")) {
      std::optional<std::string> key = string();
      if (!key || !take(":")) return std::nullopt;
      if (*key == "descr" && !descr) {
        std::optional<std::string> value = string();
        if (!value) return std::nullopt;
        header.descr = *value;
        descr = true;
      } else if (*key == "fortran_order" && !order) {
        if (take("True"))
          header.fortran = true;
        else if (!take("False"))
          return std::nullopt;
        order = true;
      } else if (*key == "shape" && !shape) {
        if (!tuple(header.shape)) return std::nullopt;
        shape = true;
      } else {
        return std::nullopt;
      }
      take(",");
    }
    blanks();
    if (!rest_.empty() || !descr || !order || !shape) return std::nullopt;
    return header;
  }

 private:
  void blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t'))
      rest_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  std::optional<std::string> string() {
    blanks();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return std::nullopt;
    size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string value(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return value;
  }
  bool tuple(std::vector<int64_t>& shape) {
    if (!take("(")) return false;
    while (!take(")")) {
      blanks();
      int64_t size = 0;
      auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (failure != std::errc() || size < 0) return false;
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      shape.push_back(size);
      take("L");  // Python 2 wrote long integers so
      take(",");
    }
    return true;
  }

  std::string_view rest_;
};

template <class Stored, class Held>
std::vector<Held> elements(std::string_view data, size_t count) {
  std::vector<Held> values(count);
  for (size_t k = 0; k < count; ++k) {
    Stored stored;
    std::memcpy(&stored, data.data() + k * sizeof(Stored), sizeof(Stored));
    values[k] = static_cast<Held>(stored);
  }
  return values;
}

// Column-major to row-major.
template <class Held>
std::vector<Held> rowMajor(const std::vector<Held>& values, const std::vector<int64_t>& shape) {
  std::vector<Held> out(values.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (const Held& value : values) {
    int64_t at = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) at = at * shape[axis] + index[axis];
    out[static_cast<size_t>(at)] = value;
    for (size_t axis = 0; axis < shape.size() && ++index[axis] == shape[axis]; ++axis)
      index[axis] = 0;
  }
  return out;
}

size_t elementSize(const std::string& descr) {
  if (descr == "<f8" || descr == "<i8") return 8;
  if (descr == "<f4" || descr == "<i4") return 4;
  if (descr == "|b1") return 1;
  return 0;
}

Loaded tensorOf(const Header& header, std::string_view data, size_t count,
                const std::string& path) {
  ir::Tensor tensor;
  tensor.type.dims = header.shape;
  bool reorder = header.fortran && header.shape.size() > 1;
  if (header.descr == "<f8" || header.descr == "<f4") {
    tensor.type.elem = ir::Elem::F64;
    tensor.reals = header.descr == "<f8" ? elements<double, double>(data, count)
                                         : elements<float, double>(data, count);
    if (reorder) tensor.reals = rowMajor(tensor.reals, header.shape);
  } else if (header.descr == "|b1") {
    tensor.type.elem = ir::Elem::I1;
    for (size_t k = 0; k < count; ++k)
      if (static_cast<unsigned char>(data[k]) > 1)
        return DataError{DiagCode::BadDataFile,
                         fmt::format("`{}`: element {} is {}, not a bool", path, k,
                                     static_cast<unsigned char>(data[k])),
                         ""};
    tensor.bools = elements<uint8_t, uint8_t>(data, count);
    if (reorder) tensor.bools = rowMajor(tensor.bools, header.shape);
  } else {
    tensor.type.elem = ir::Elem::I64;
    tensor.ints = header.descr == "<i8" ? elements<int64_t, int64_t>(data, count)
                                        : elements<int32_t, int64_t>(data, count);
    if (reorder) tensor.ints = rowMajor(tensor.ints, header.shape);
  }
  return hostArray(std::move(tensor));
}

}  // namespace

Loaded readNpy(std::string_view bytes, const std::string& path) {
  auto bad = [&](std::string_view what, std::string help = "") {
    return DataError{DiagCode::BadDataFile, fmt::format("`{}` {}", path, what), std::move(help)};
  };
  if (!bytes.starts_with(kMagic)) return bad("is not a npy file: it does not begin with \\x93NUMPY");
  if (bytes.size() < 10) return bad("is truncated: the header is incomplete");
  int major = bytes[6];
  if (major < 1 || major > 3) return bad(fmt::format("is of npy format {}, not 1 to 3", major));
  size_t at = major == 1 ? 10 : 12;
  if (bytes.size() < at) return bad("is truncated: the header is incomplete");
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, major == 1 ? 2 : 4);
  if (bytes.size() - at < length) return bad("is truncated: the header is incomplete");
  std::optional<Header> header = HeaderReader(bytes.substr(at, length)).read();
  if (!header) return bad("has a header that cannot be read");
  size_t size = elementSize(header->descr);
  if (size == 0)
    return bad(fmt::format("holds elements of type `{}`", header->descr),
               "convert it with numpy's astype to float64, float32, int64, int32 or bool, "
               "little-endian");
  std::string_view data = bytes.substr(at + length);
  size_t count = 1;
  bool empty = false, too_large = false;
  for (int64_t n : header->shape) empty = empty || n == 0;
  for (int64_t n : header->shape) {
    if (empty || __builtin_mul_overflow(count, static_cast<size_t>(n), &count))
      too_large = !empty;
  }
  if (empty) count = 0;
  if (too_large || count > data.size() / size)
    return bad(fmt::format("is truncated: {} bytes of data are fewer than its shape needs",
                           data.size()));
  if (count * size != data.size())
    return bad(fmt::format("has {} bytes more than its shape needs", data.size() - count * size));
  return tensorOf(*header, data, count, path);
}

std::string writeNpy(const lower::HostValue& value) {
  const ir::Tensor& tensor = value.leaves[0];
  std::string shape;
  for (int64_t n : tensor.type.dims) shape += fmt::format("{}, ", n);
  if (shape.size() > 2) shape.resize(shape.size() - (tensor.type.rank() == 1 ? 1 : 2));
  const char* descr = tensor.type.elem == ir::Elem::F64   ? "<f8"
                      : tensor.type.elem == ir::Elem::I64 ? "<i8"
                                                          : "|b1";
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, shape);
  size_t unpadded = kMagic.size() + 4 + header.size() + 1;
  header.append((64 - unpadded % 64) % 64, ' ');
  header += '\n';
  std::string out(kMagic);
  out += {'\x01', '\x00'};
  uint16_t length = static_cast<uint16_t>(header.size());
  out.append(reinterpret_cast<const char*>(&length), 2);
  out += header;
  size_t bytes = static_cast<size_t>(tensor.size()) * (tensor.type.elem == ir::Elem::I1 ? 1 : 8);
  out.append(static_cast<const char*>(tensor.data()), bytes);
  return out;
}

}  // namespace dini::session
