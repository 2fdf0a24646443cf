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

TEST_CASE("a missing file is FileNotFound, another extension BadDataFile") {
  auto code = [](const char* path) { return std::get<DataError>(session::loadData(path)).code; };
  CHECK(code("no such file.csv") == DiagCode::FileNotFound);
  CHECK(code("/tmp") == DiagCode::BadDataFile);
  CHECK(code("no such file.mtx") == DiagCode::FileNotFound);
}

TEST_CASE("svm-light: labels, entries in any order, comments") {
  auto loaded = good(session::readSvm("1 3:2 1:0.5 # x\r\n\n-1e0 2:1\n+1\n", "a.svm"));
  CHECK(loaded.type->elements[0]->name == "sparse");
  CHECK(loaded.type->elements[0]->arguments == std::vector<types::Size>{3, 3, 3});
  CHECK(loaded.leaves[0].reals == std::vector<double>{0.5, 2, 1});
  CHECK(loaded.leaves[1].ints == std::vector<int64_t>{0, 0, 1});
  CHECK(loaded.leaves[2].ints == std::vector<int64_t>{0, 2, 1});
  CHECK(loaded.leaves[3].ints == std::vector<int64_t>{0, 2, 3, 3});
  CHECK(loaded.leaves[4].ints == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(loaded.leaves[5].reals == std::vector<double>{1, -1, 1});
  for (const char* text : {"x 1:2\n", "1 2\n", "1 0:3\n", "1 1:\n", "1 a:1\n", "1 1:2x\n", "1 99999999999:1\n"})
    CHECK(holds(problem(session::readSvm(text, "a.svm")), "`a.svm`, line 1: "));
}

TEST_CASE("Matrix Market: numbers, symmetry, what is written is read again") {
  const std::string head = "%%MatrixMarket matrix coordinate ";
  auto values = [&](const std::string& text) { return good(session::readMarket(head + text, "a.mtx")).leaves[0].reals; };
  CHECK(values("real general\n% c\n\n2 3 2\n2 3 -1.5\n1 1 2\n") == std::vector<double>{2, -1.5});
  CHECK(values("pattern general\n2 3 2\n2 3\n1 1\n") == std::vector<double>{1, 1});
  CHECK(values("integer symmetric\n2 2 2\n2 1 3\n1 1 2\n") == std::vector<double>{2, 3, 3});
  CHECK(values("real skew-symmetric\n2 2 1\n2 1 3\n") == std::vector<double>{-3, 3});
  auto matrix = good(session::readMarket(head + "real general\n2 4 2\n2 3 0.1\n1 1 1e300\n", "a.mtx"));
  CHECK(good(session::readMarket(session::writeMarket(matrix), "b.mtx")).leaves == matrix.leaves);
  for (const char* text : {"real general\n2 2 2\n1 1 1\n", "real general\n2 2 1\n3 1 1\n", "real general\n2 2 1\n0 1 1\n",
                           "real general\n2 2 1\n1 1\n", "real general\n2 2 1\n1 1 1 1\n", "real symmetric\n2 3 0\n",
                           "real general\n", "real general\n2 2\n", "complex general\n1 1 0\n", "real hermitian\n1 1 0\n"})
    CHECK(holds(problem(session::readMarket(head + text, "a.mtx")), "`a.mtx`, line "));
  CHECK(holds(problem(session::readMarket("%%MatrixMarket matrix array real general\n1 1\n1\n", "a.mtx")), "coordinate"));
  CHECK(holds(problem(session::readMarket("1 1 1\n", "a.mtx")), "%%MatrixMarket"));
}
