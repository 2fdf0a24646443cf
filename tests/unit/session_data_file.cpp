// Data files: what is read, and that everything else is refused with its place (E0701, E0702).
#include <doctest/doctest.h>

#include <limits>

#include "session/data_file.h"

using namespace dini;
using session::DataError;

namespace {

lower::HostValue good(session::Loaded loaded) {
  if (auto* error = std::get_if<DataError>(&loaded)) FAIL(error->message);
  return std::move(std::get<lower::HostValue>(loaded));
}
std::string problem(const session::Loaded& loaded) {
  const auto* error = std::get_if<DataError>(&loaded);
  return error ? error->message : "";
}
bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A npy file of format `major`.
std::string npy(const std::string& dictionary, const std::string& data, char major = 1) {
  std::string out("\x93NUMPY");
  out += {major, '\0', static_cast<char>(dictionary.size()), '\0'};
  if (major > 1) out += {'\0', '\0'};
  return out + dictionary + data;
}
template <class T>
std::string bytes(std::vector<T> values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

}  // namespace

TEST_CASE("csv: numbers, a header, quotes, blanks, both line ends") {
  for (const char* text : {"1,2\n3,4\n", "a,b\n1,2\n3,4", "\"a,1\",b\r\n 1 ,\"2\"\r\n3,+4\r\n\r\n",
                           "\xEF\xBB\xBF" "1,2\n3,4e0\n"}) {
    lower::HostValue value = good(session::readCsv(text, "t.csv"));
    CHECK(value.leaves[0].type == ir::f64({2, 2}));
    CHECK(value.leaves[0].reals == std::vector<double>{1, 2, 3, 4});
  }
  CHECK(good(session::readCsv("-inf\n1e-400\n", "t.csv")).leaves[0].reals ==
        std::vector<double>{-std::numeric_limits<double>::infinity(), 0});
}

TEST_CASE("csv: what cannot be read names its line and column") {
  auto of = [](std::string_view text) { return problem(session::readCsv(text, "t.csv")); };
  CHECK(of("1,2\n3\n") == "`t.csv`, line 2: 1 cells where the lines before have 2");
  CHECK(of("1,2\n3,x\n") == "`t.csv`, line 2, column 2: `x` is not a number");
  CHECK(of("1,2\n3,\n") == "`t.csv`, line 2, column 2: an empty cell");
  CHECK(of("1\n\n2\n") == "`t.csv`, line 2: a blank line between the rows");
  CHECK(of("a,b\n") == "`t.csv` holds no numbers");
  CHECK(of("1\n1e999\n") == "`t.csv`, line 2, column 1: `1e999` is not a number");
  CHECK(of(std::string_view("1\0", 2)) == "`t.csv` is not a text file: byte 1 is 0x00");
}

TEST_CASE("npy: element types, orders, formats") {
  std::string shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
  std::string data = bytes<double>({1, 2, 3, 4, 5, 6});
  for (char major : {1, 2, 3})
    CHECK(good(session::readNpy(npy(shape, data, major), "t.npy")).leaves[0].reals ==
          std::vector<double>{1, 2, 3, 4, 5, 6});
  std::string fortran = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }";
  CHECK(good(session::readNpy(npy(fortran, data), "t.npy")).leaves[0].reals ==
        std::vector<double>{1, 3, 5, 2, 4, 6});
  std::string floats = "{'shape': (2,), 'fortran_order': False, 'descr': '<f4'}";
  CHECK(good(session::readNpy(npy(floats, bytes<float>({0.5f, -2})), "t.npy")).leaves[0].reals ==
        std::vector<double>{0.5, -2});
  std::string ints = "{'descr': '<i4', 'fortran_order': False, 'shape': (), }";
  CHECK(good(session::readNpy(npy(ints, bytes<int32_t>({-7})), "t.npy")).leaves[0].ints ==
        std::vector<int64_t>{-7});
  std::string bools = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }";
  CHECK(good(session::readNpy(npy(bools, bytes<uint8_t>({1, 0})), "t.npy")).leaves[0].bools ==
        std::vector<uint8_t>{1, 0});
}

TEST_CASE("npy: truncated at every byte, too long, foreign") {
  std::string whole = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
                          bytes<double>({1, 2}));
  for (size_t length = 0; length < whole.size(); ++length)
    CHECK(problem(session::readNpy(whole.substr(0, length), "t.npy")) != "");
  CHECK(holds(problem(session::readNpy(whole + "x", "t.npy")), "1 bytes more"));
  auto of = [](const char* dictionary) {
    return problem(session::readNpy(npy(dictionary, ""), "t.npy"));
  };
  CHECK(holds(of("{'descr': '>f8', 'fortran_order': False, 'shape': (0,), }"), "`>f8`"));
  CHECK(holds(of("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"), "header"));
  CHECK(holds(of("{'descr': '<f8', 'fortran_order': False}"), "header"));
  CHECK(holds(of("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"),
              "truncated"));
}

TEST_CASE("what is written is read again") {
  for (ir::Tensor tensor :
       {ir::Tensor::zeros(ir::f64({2, 3})), ir::Tensor::zeros(ir::i64({4})),
        ir::Tensor::zeros(ir::i1({1, 2, 3})), ir::Tensor::real(0.1), ir::Tensor::zeros(ir::f64({0}))}) {
    if (!tensor.reals.empty()) tensor.reals.back() = 1.0 / 3;
    std::string file = session::writeNpy(session::hostArray(tensor));
    CHECK((file.size() - static_cast<size_t>(tensor.size()) *
                             (tensor.type.elem == ir::Elem::I1 ? 1 : 8)) % 64 == 0);
    CHECK(good(session::readNpy(file, "t.npy")).leaves[0] == tensor);
  }
  ir::Tensor matrix = ir::Tensor::zeros(ir::f64({2, 2}));
  matrix.reals = {0.1, 1e300, -0.0, 1.0 / 3};
  CHECK(good(session::readCsv(session::writeCsv(session::hostArray(matrix)), "t.csv")).leaves[0] ==
        matrix);
}

TEST_CASE("a missing file is FileNotFound, another extension BadDataFile, sparse formats not yet") {
  auto code = [](const char* path) { return std::get<DataError>(session::loadData(path)).code; };
  CHECK(code("no such file.csv") == DiagCode::FileNotFound);
  CHECK(code("/tmp") == DiagCode::BadDataFile);
  CHECK(code("x.mtx") == DiagCode::NotYet);
}
