// Comma-separated numbers. Cells may be quoted and have blanks around; lines end in \n or \r\n;
// blank lines at the end do not count.
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "session/data_file.h"
#include "session/text_fields.h"

namespace dini::session {
namespace {

std::string_view trimmed(std::string_view cell) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!cell.empty() && blank(cell.front())) cell.remove_prefix(1);
  while (!cell.empty() && blank(cell.back())) cell.remove_suffix(1);
  return cell;
}

std::string_view unquoted(std::string_view cell) {
  cell = trimmed(cell);
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
    cell = trimmed(cell.substr(1, cell.size() - 2));
  return cell;
}

std::vector<std::string_view> cells(std::string_view line) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  bool quoted = false;
  for (size_t at = 0; at <= line.size(); ++at) {
    if (at < line.size() && line[at] == '"') quoted = !quoted;
    if (at == line.size() || (line[at] == ',' && !quoted)) {
      parts.push_back(line.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  return parts;
}

std::string shown(std::string_view cell) {
  return cell.size() <= 40 ? std::string(cell) : fmt::format("{}...", cell.substr(0, 40));
}

}  // namespace

Loaded readCsv(std::string_view bytes, const std::string& path) {
  auto bad = [&](std::string message, std::string help = "") {
    return DataError{DiagCode::BadDataFile, std::move(message), std::move(help)};
  };
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  for (size_t at = 0; at < bytes.size(); ++at) {
    unsigned char c = static_cast<unsigned char>(bytes[at]);
    if (c < 32 && c != '\n' && c != '\r' && c != '\t')
      return bad(fmt::format("`{}` is not a text file: byte {} is 0x{:02x}", path, at, c));
  }
  std::vector<double> values;
  size_t rows = 0, columns = 0;
  Lines lines{bytes};
  std::string_view line;
  while (lines.next(line)) {
    if (trimmed(line).empty()) {
      if (lines.rest.find_first_not_of(" \t\r\n") == std::string_view::npos) break;
      return bad(fmt::format("`{}`, line {}: a blank line between the rows", path, lines.number));
    }
    std::vector<std::string_view> parts = cells(line);
    size_t before = values.size();
    for (size_t c = 0; c < parts.size(); ++c) {
      std::string_view cell = unquoted(parts[c]);
      std::optional<double> value = realNumber(cell);
      if (value) {
        values.push_back(*value);
        continue;
      }
      if (lines.number == 1) break;  // a header
      return bad(cell.empty() ? fmt::format("`{}`, line {}, column {}: an empty cell", path,
                                            lines.number, c + 1)
                              : fmt::format("`{}`, line {}, column {}: `{}` is not a number", path,
                                            lines.number, c + 1, shown(cell)));
    }
    if (values.size() - before < parts.size()) {
      values.resize(before);
      continue;
    }
    if (rows > 0 && parts.size() != columns)
      return bad(fmt::format("`{}`, line {}: {} cells where the lines before have {}", path,
                             lines.number, parts.size(), columns));
    columns = parts.size();
    ++rows;
  }
  if (rows == 0) return bad(fmt::format("`{}` holds no numbers", path));
  ir::Tensor tensor;
  tensor.type = ir::f64({static_cast<int64_t>(rows), static_cast<int64_t>(columns)});
  tensor.reals = std::move(values);
  return hostArray(std::move(tensor));
}

std::string writeCsv(const lower::HostValue& value) {
  const ir::Tensor& tensor = value.leaves[0];
  int64_t columns = tensor.type.rank() == 2 ? tensor.type.dims[1] : 1;
  int64_t count = tensor.size();
  std::string out;
  for (int64_t k = 0; k < count; ++k) {
    size_t at = static_cast<size_t>(k);
    switch (tensor.type.elem) {
      case ir::Elem::F64: fmt::format_to(std::back_inserter(out), "{:.17g}", tensor.reals[at]); break;
      case ir::Elem::I64: fmt::format_to(std::back_inserter(out), "{}", tensor.ints[at]); break;
      case ir::Elem::I1: out += tensor.bools[at] ? '1' : '0'; break;
    }
    out += (k + 1) % columns == 0 ? '\n' : ',';
  }
  return out;
}

}  // namespace dini::session
