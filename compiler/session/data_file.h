// Data files: csv (one number a cell, a first line that is not numeric is a header) and npy (format
// 1.0 to 3.0; little-endian f8, f4, i8, i4 and b1; C and Fortran order). Strict: what cannot be read
// to the last byte is an error with its place, never a guess. The packaged libraries do not fit:
// libcsv gives text cells and has had no release since 2013, none reads npy in C++.
// Sparse matrices come from svm-light files, with their labels, and from Matrix Market files (coordinate
// layout; real, integer or pattern; general, symmetric or skew-symmetric).
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "diag/diagnostic.h"
#include "lower/lower.h"

namespace dini::session {

struct DataError {
  DiagCode code = DiagCode::BadDataFile;
  std::string message;  // names the file
  std::string help;
};
using Loaded = std::variant<lower::HostValue, DataError>;

// A whole file; the error says why it cannot be had.
std::variant<std::string, DataError> readBytes(const std::string& path);

// By the extension of the path.
Loaded loadData(const std::string& path);
// Empty message: written.
DataError saveData(const lower::HostValue& value, const std::string& path);

// The formats, of a file's bytes. `path` is for messages only.
Loaded readCsv(std::string_view bytes, const std::string& path);
Loaded readNpy(std::string_view bytes, const std::string& path);
// (sparse X, y)
Loaded readSvm(std::string_view bytes, const std::string& path);
// sparse
Loaded readMarket(std::string_view bytes, const std::string& path);
// Of one array or scalar; csv: of rank at most 2.
std::string writeCsv(const lower::HostValue& value);
std::string writeNpy(const lower::HostValue& value);
// Of a sparse matrix.
std::string writeMarket(const lower::HostValue& value);

// A value of one leaf, with the type that the tensor says.
lower::HostValue hostArray(ir::Tensor tensor);

}  // namespace dini::session
