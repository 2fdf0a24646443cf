#include "diag/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "diag/text_width.h"

namespace dini {
namespace {

// A stretch of one line to underline. A label over several lines has a mark on its first and on
// its last line; the text goes with the last.
struct Mark {
  uint32_t first = 0, last = 0;  // columns, half-open
  bool primary = false;
  std::string text;
};

struct Window {
  uint32_t first = 0, last = 0;  // columns shown
};

class FileFrame {
 public:
  FileFrame(const SourceFile& file, size_t gutter, Ink ink, const Paint& paint)
      : file_(file), gutter_(gutter), ink_(ink), paint_(paint) {}

  void add(const Label& label, bool primary);
  std::string str();

 private:
  struct Line {
    ShownLine shown;
    std::vector<Mark> marks;
  };
  Line& line(uint32_t number);
  void fillGaps();
  Window window(const Line& line) const;
  std::string margin(std::string_view text) const;
  std::string sourceRow(uint32_t number, const Line& line, Window window) const;
  std::string markRows(const Line& line, Window window) const;

  const SourceFile& file_;
  size_t gutter_;
  Ink ink_;
  const Paint& paint_;
  std::map<uint32_t, Line> lines_;
};

FileFrame::Line& FileFrame::line(uint32_t number) {
  auto [it, made] = lines_.try_emplace(number);
  if (made) it->second.shown = showLine(file_.line(number));
  return it->second;
}

void FileFrame::add(const Label& label, bool primary) {
  uint32_t first = file_.lineColumn(label.span.begin).line;
  uint32_t last_offset = std::max(label.span.begin, label.span.end);
  uint32_t last =
      file_.lineColumn(last_offset > label.span.begin ? last_offset - 1 : last_offset).line;
  auto column = [&](uint32_t number, uint32_t offset) {
    return line(number).shown.column(offset - file_.lineStart(number));
  };
  Mark mark{column(first, label.span.begin), 0, primary, label.text};
  if (first == last) {
    mark.last = std::max(mark.first + 1, column(first, last_offset));
    line(first).marks.push_back(mark);
    return;
  }
  mark.last = std::max(mark.first + 1, line(first).shown.width);
  mark.text.clear();
  line(first).marks.push_back(mark);
  std::string_view text = file_.line(last);
  size_t indent = std::min(text.find_first_not_of(" \t"), text.size());
  mark.first = line(last).shown.column(indent);
  mark.last = std::max(mark.first + 1, column(last, last_offset));
  mark.text = label.text;
  line(last).marks.push_back(mark);
}

// A single line left out between two shown ones is shown too: an ellipsis would take as much room.
void FileFrame::fillGaps() {
  std::vector<uint32_t> gaps;
  for (auto it = lines_.begin(); it != lines_.end(); ++it)
    if (auto next = std::next(it); next != lines_.end() && next->first == it->first + 2)
      gaps.push_back(it->first + 1);
  for (uint32_t number : gaps) line(number);
}

// The part of a long line that is shown: around its marks.
Window FileFrame::window(const Line& line) const {
  constexpr uint32_t kMost = 120, kBefore = 40;
  if (line.shown.width <= kMost) return {0, line.shown.width};
  uint32_t first = line.shown.width;
  for (const Mark& m : line.marks) first = std::min(first, m.first);
  if (line.marks.empty() || first <= kMost - kBefore)
    first = 0;
  else
    first -= kBefore;
  return {first, std::min(line.shown.width, first + kMost)};
}

std::string FileFrame::margin(std::string_view text) const {
  return paint_(Ink::Frame, fmt::format("{:>{}} |", text, gutter_));
}

std::string FileFrame::sourceRow(uint32_t number, const Line& line, Window window) const {
  std::string row;
  if (window.first > 0) row += "...";
  for (const Cell& cell : line.shown.cells)
    if (cell.column >= window.first && cell.column + cell.width <= window.last) row += cell.shown;
  if (window.last < line.shown.width) row += "...";
  size_t end = row.find_last_not_of(' ');
  row.resize(end == std::string::npos ? 0 : end + 1);
  return margin(std::to_string(number)) + (row.empty() ? "" : " ") + row + "\n";
}

// The underlines with the text of the rightmost mark, then the other texts from right to left, each
// in a row of its own under its mark.
std::string FileFrame::markRows(const Line& line, Window window) const {
  std::vector<Mark> marks = line.marks;
  if (marks.empty()) return "";
  uint32_t shift = window.first > 0 ? 3 : 0;  // the ellipsis
  for (Mark& m : marks) {
    m.first = std::clamp(m.first, window.first, window.last) - window.first + shift;
    m.last = std::clamp(m.last, window.first, window.last + 1) - window.first + shift;
    m.last = std::max(m.last, m.first + 1);
  }
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) {
    return std::tie(a.first, a.last, a.text) < std::tie(b.first, b.last, b.text);
  });
  uint32_t width = 0;
  for (const Mark& m : marks) width = std::max(width, m.last);
  std::string signs(width, ' ');
  for (bool primary : {false, true})  // the primary underline lies on top
    for (const Mark& m : marks)
      if (m.primary == primary)
        std::fill(signs.begin() + m.first, signs.begin() + m.last, primary ? '^' : '-');
  std::string rows = margin("") + " ";
  for (size_t i = 0; i < signs.size();) {
    size_t end = std::min(signs.find_first_not_of(signs[i], i), signs.size());
    std::string run = signs.substr(i, end - i);
    rows += run[0] == ' ' ? run : paint_(run[0] == '^' ? ink_ : Ink::Frame, run);
    i = end;
  }
  auto ink = [&](const Mark& m) { return m.primary ? ink_ : Ink::Frame; };
  Mark& rightmost = marks.back();
  bool at_end = rightmost.last == width && !rightmost.text.empty();
  if (at_end) rows += " " + paint_(ink(rightmost), rightmost.text);
  rows += "\n";
  if (at_end) marks.pop_back();
  std::erase_if(marks, [](const Mark& m) { return m.text.empty(); });
  while (!marks.empty()) {
    Mark mark = marks.back();
    marks.pop_back();
    std::string row;
    for (const Mark& m : marks) {
      if (m.first >= mark.first || m.first < row.size()) continue;
      row.resize(m.first, ' ');
      row += '|';
    }
    row.resize(mark.first, ' ');
    rows += margin("") + " " + paint_(Ink::Frame, row) + paint_(ink(mark), mark.text) + "\n";
  }
  return rows;
}

std::string FileFrame::str() {
  fillGaps();
  std::string text;
  uint32_t previous = 0;
  for (const auto& [number, line] : lines_) {
    if (previous != 0 && number > previous + 1) text += paint_(Ink::Frame, "...") + "\n";
    Window shown = window(line);
    text += sourceRow(number, line, shown) + markRows(line, shown);
    previous = number;
  }
  return text;
}

}  // namespace

size_t gutterWidth(const SourceManager& sources, const Diagnostic& diagnostic) {
  uint32_t most = 1;
  for (const Label& label : diagnostic.labels) {
    if (!label.span.valid()) continue;
    const SourceFile& file = sources.file(label.span.file);
    most = std::max(most, file.lineColumn(std::max(label.span.begin, label.span.end)).line);
  }
  return 1 + std::to_string(most).size();
}

std::string frames(const SourceManager& sources, const Diagnostic& diagnostic, size_t gutter,
                   Ink ink, const Paint& paint) {
  std::vector<FileId> files;
  for (const Label& label : diagnostic.labels)
    if (label.span.valid() && std::find(files.begin(), files.end(), label.span.file) == files.end())
      files.push_back(label.span.file);
  std::string text;
  for (size_t i = 0; i < files.size(); ++i) {
    const SourceFile& file = sources.file(files[i]);
    FileFrame frame(file, gutter, ink, paint);
    const Label* first = nullptr;
    for (const Label& label : diagnostic.labels) {
      if (!(label.span.file == files[i])) continue;
      if (!first) first = &label;
      frame.add(label, &label == &diagnostic.labels[0]);
    }
    LineColumn at = file.lineColumn(first->span.begin);
    text += paint(Ink::Frame, fmt::format("{:>{}}", i == 0 ? "-->" : ":::", gutter + 3));
    text += fmt::format(" {}:{}:{}\n", file.path(), at.line, at.column);
    text += paint(Ink::Frame, fmt::format("{:>{}}", "|", gutter + 2)) + "\n" + frame.str();
  }
  return text;
}

}  // namespace dini
