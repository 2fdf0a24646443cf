#include "session/data_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace dini::session {
namespace {

std::string extensionOf(const std::string& path) {
  return std::filesystem::path(path).extension().string();
}

struct Format {
  const char* extension;
  Loaded (*read)(std::string_view, const std::string&);
};
constexpr Format kFormats[] = {
    {".csv", readCsv}, {".npy", readNpy}, {".svm", readSvm}, {".mtx", readMarket}};

DataError written(const std::string& bytes, const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) return {DiagCode::CannotWrite, fmt::format("cannot write `{}`", path), ""};
  return {};
}

}  // namespace

std::variant<std::string, DataError> readBytes(const std::string& path) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure))
    return DataError{DiagCode::FileNotFound, fmt::format("`{}` is a folder", path), ""};
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return DataError{DiagCode::FileNotFound,
                     fmt::format("cannot open `{}`: {}", path,
                                 errno ? std::strerror(errno) : "unknown reason"),
                     ""};
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad())
    return DataError{DiagCode::FileNotFound, fmt::format("cannot read `{}`", path), ""};
  return bytes;
}

lower::HostValue hostArray(ir::Tensor tensor) {
  types::Scalar scalar = tensor.type.elem == ir::Elem::F64   ? types::Scalar::Real
                         : tensor.type.elem == ir::Elem::I64 ? types::Scalar::Int
                                                             : types::Scalar::Bool;
  std::vector<types::Size> dims(tensor.type.dims.begin(), tensor.type.dims.end());
  return {types::array(scalar, std::move(dims)), {std::move(tensor)}};
}

Loaded loadData(const std::string& path) {
  std::string extension = extensionOf(path);
  auto format = std::find_if(std::begin(kFormats), std::end(kFormats),
                             [&](const Format& f) { return extension == f.extension; });
  if (format == std::end(kFormats))
    return DataError{DiagCode::BadDataFile,
                     fmt::format("`{}` is not a .csv, .npy, .svm or .mtx file", path), ""};
  auto bytes = readBytes(path);
  if (DataError* error = std::get_if<DataError>(&bytes)) return std::move(*error);
  const std::string& text = std::get<std::string>(bytes);
  if (text.empty())
    return DataError{DiagCode::BadDataFile, fmt::format("`{}` is empty", path), ""};
  return format->read(text, path);
}

DataError saveData(const lower::HostValue& value, const std::string& path) {
  std::string extension = extensionOf(path);
  bool sparse = value.type->kind == types::Kind::Record && value.type->name == "sparse";
  if (extension == ".mtx" && sparse) return written(writeMarket(value), path);
  if (extension == ".mtx" || sparse)
    return {DiagCode::CannotWrite, "a sparse matrix is saved as a .mtx file, and nothing else is",
            "`dense(A)` is an ordinary array"};
  if (extension != ".csv" && extension != ".npy")
    return {DiagCode::CannotWrite, fmt::format("`{}` is neither a .csv, a .npy nor a .mtx file", path), ""};
  if (value.leaves.size() != 1 || value.type->kind == types::Kind::Record ||
      value.type->kind == types::Kind::Tuple)
    return {DiagCode::CannotWrite, "only an array or a number can be saved",
            "save the parts of a tuple or record one by one"};
  if (extension == ".csv" && value.leaves[0].type.rank() > 2)
    return {DiagCode::CannotWrite,
            fmt::format("a csv file holds a matrix, not an array of rank {}",
                        value.leaves[0].type.rank()),
            "save it as .npy"};
  return written(extension == ".csv" ? writeCsv(value) : writeNpy(value), path);
}

}  // namespace dini::session
