// svm-light and Matrix Market files. Strict, like the others: what cannot be read is an error that names
// its line.
#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include "session/data_file.h"
#include "session/text_fields.h"

namespace dini::session {
namespace {

struct Entry {
  int64_t row, column;
  double value;
  size_t given;  // how many came before it
};

// Fields of a line, separated by blanks.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}
  std::string_view next() {
    size_t from = rest_.find_first_not_of(" \t\r");
    if (from == std::string_view::npos) return {};
    size_t to = std::min(rest_.find_first_of(" \t\r", from), rest_.size());
    std::string_view field = rest_.substr(from, to - from);
    rest_.remove_prefix(to);
    return field;
  }

 private:
  std::string_view rest_;
};

DataError wrong(const Lines& lines, const std::string& path, const std::string& message,
                std::string help = "") {
  return {DiagCode::BadDataFile, fmt::format("`{}`, line {}: {}", path, lines.number, message),
          std::move(help)};
}

ir::Tensor integers(std::vector<int64_t> values) {
  ir::Tensor tensor;
  tensor.type = ir::i64({static_cast<int64_t>(values.size())});
  tensor.ints = std::move(values);
  return tensor;
}

ir::Tensor reals(std::vector<double> values) {
  ir::Tensor tensor;
  tensor.type = ir::f64({static_cast<int64_t>(values.size())});
  tensor.reals = std::move(values);
  return tensor;
}

// How many of the sorted or unsorted indices are below 0, 1, ..., n.
std::vector<int64_t> starts(const std::vector<int64_t>& indices, int64_t n) {
  std::vector<int64_t> counts(static_cast<size_t>(n) + 1, 0);
  for (int64_t index : indices) ++counts[static_cast<size_t>(index) + 1];
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
  return counts;
}

// The prelude's record `sparse`, entries sorted by rows and columns.
lower::HostValue sparseMatrix(std::vector<Entry> entries, int64_t m, int64_t n) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.row, a.column, a.given) < std::tie(b.row, b.column, b.given);
  });
  std::vector<double> values;
  std::vector<int64_t> rows, columns;
  for (const Entry& entry : entries) {
    values.push_back(entry.value);
    rows.push_back(entry.row);
    columns.push_back(entry.column);
  }
  types::Size k(static_cast<int64_t>(entries.size()));
  std::vector<types::Field> fields = {{"values", types::realType({k})},
                                      {"rows", types::intType({k})},
                                      {"cols", types::intType({k})},
                                      {"row_start", types::intType({types::Size(m + 1)})},
                                      {"col_start", types::intType({types::Size(n + 1)})}};
  std::vector<int64_t> row_start = starts(rows, m), column_start = starts(columns, n);
  return {types::record("sparse", {types::Size(m), types::Size(n), k}, std::move(fields)),
          {reals(std::move(values)), integers(std::move(rows)), integers(std::move(columns)),
           integers(std::move(row_start)), integers(std::move(column_start))}};
}

struct MarketForm {
  bool pattern = false, symmetric = false, skew = false;
};

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::variant<MarketForm, DataError> marketHeader(Lines& lines, const std::string& path) {
  std::string_view line;
  lines.next(line);
  Fields fields(line);
  if (lowered(fields.next()) != "%%matrixmarket" || lowered(fields.next()) != "matrix")
    return wrong(lines, path, "a Matrix Market file begins with `%%MatrixMarket matrix`");
  std::string layout = lowered(fields.next()), numbers = lowered(fields.next()),
              symmetry = lowered(fields.next());
  if (layout != "coordinate")
    return wrong(lines, path, fmt::format("the layout is `{}`, where `coordinate` is expected", layout),
                        "dense matrices are read from csv and npy files");
  if (numbers != "real" && numbers != "integer" && numbers != "pattern")
    return wrong(lines, path, fmt::format("the entries are `{}`, where real, integer or pattern is expected", numbers));
  if (symmetry != "general" && symmetry != "symmetric" && symmetry != "skew-symmetric")
    return wrong(lines, path, fmt::format("the symmetry `{}` is not known", symmetry));
  return MarketForm{numbers == "pattern", symmetry != "general", symmetry == "skew-symmetric"};
}

}  // namespace

// label index:value ...; indices from 1, a comment after #.
Loaded readSvm(std::string_view bytes, const std::string& path) {
  Lines lines{bytes};
  std::vector<Entry> entries;
  std::vector<double> labels;
  int64_t columns = 0;
  std::string_view line;
  while (lines.next(line)) {
    Fields fields(line.substr(0, line.find('#')));
    std::string_view field = fields.next();
    if (field.empty()) continue;
    auto label = realNumber(field);
    if (!label) return wrong(lines, path, fmt::format("`{}` is no label", field));
    auto row = static_cast<int64_t>(labels.size());
    labels.push_back(*label);
    for (field = fields.next(); !field.empty(); field = fields.next()) {
      size_t colon = field.find(':');
      auto index = wholeNumber(field.substr(0, colon));
      auto value = colon == std::string_view::npos ? std::nullopt : realNumber(field.substr(colon + 1));
      if (!index || !value)
        return wrong(lines, path, fmt::format("`{}`, where `index:value` is expected", field));
      if (*index < 1 || *index > (int64_t{1} << 31))
        return wrong(lines, path, fmt::format("the index {}, where they count from 1", *index));
      columns = std::max(columns, *index);
      entries.push_back({row, *index - 1, *value, entries.size()});
    }
  }
  auto count = static_cast<int64_t>(labels.size());
  lower::HostValue matrix = sparseMatrix(std::move(entries), count, columns);
  lower::HostValue result{types::tuple({matrix.type, types::realType({types::Size(count)})}),
                          std::move(matrix.leaves)};
  result.leaves.push_back(reals(std::move(labels)));
  return result;
}

Loaded readMarket(std::string_view bytes, const std::string& path) {
  Lines lines{bytes};
  auto header = marketHeader(lines, path);
  if (DataError* error = std::get_if<DataError>(&header)) return std::move(*error);
  MarketForm form = std::get<MarketForm>(header);
  std::optional<int64_t> m, n, count;
  std::vector<Entry> entries;
  std::string_view line;
  int64_t read = 0;
  while (lines.next(line)) {
    Fields fields(line);
    std::string_view first = fields.next();
    if (first.empty() || first.starts_with('%')) continue;
    auto row = wholeNumber(first), column = wholeNumber(fields.next());
    if (!count) {
      m = row, n = column, count = wholeNumber(fields.next());
      bool fine = m && n && count && *m >= 0 && *n >= 0 && *count >= 0 && *m < (int64_t{1} << 31) &&
                  *n < (int64_t{1} << 31) && (!form.symmetric || *m == *n);
      if (!fine) return wrong(lines, path, "the sizes, where `rows columns entries` are expected");
      continue;
    }
    auto value = form.pattern ? std::optional<double>(1) : realNumber(fields.next());
    if (!row || !column || !value || !fields.next().empty())
      return wrong(lines, path, form.pattern ? "an entry is `row column`" : "an entry is `row column value`");
    if (*row < 1 || *row > *m || *column < 1 || *column > *n)
      return wrong(lines, path, fmt::format("({}, {}) is outside of {} x {}", *row, *column, *m, *n));
    ++read;
    entries.push_back({*row - 1, *column - 1, *value, entries.size()});
    if (form.symmetric && *row != *column)
      entries.push_back({*column - 1, *row - 1, form.skew ? -*value : *value, entries.size()});
  }
  if (!count) return wrong(lines, path, "the file ends before the sizes");
  if (read != *count)
    return wrong(lines, path, fmt::format("the file has {} entries, its header says {}", read, *count));
  return sparseMatrix(std::move(entries), *m, *n);
}

std::string writeMarket(const lower::HostValue& value) {
  const ir::Tensor &values = value.leaves[0], &rows = value.leaves[1], &columns = value.leaves[2];
  std::string text = fmt::format("%%MatrixMarket matrix coordinate real general\n{} {} {}\n",
                                 value.leaves[3].ints.size() - 1, value.leaves[4].ints.size() - 1,
                                 values.reals.size());
  for (size_t e = 0; e < values.reals.size(); ++e)
    text += fmt::format("{} {} {:.17g}\n", rows.ints[e] + 1, columns.ints[e] + 1, values.reals[e]);
  return text;
}

}  // namespace dini::session
