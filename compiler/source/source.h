// Source files and spans. A SourceManager owns the text of every file read in a session; a Span
// is a half-open byte range of one of them. Not here: how spans are shown (diag/).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dini {

struct FileId {
  int32_t index = -1;
  bool valid() const { return index >= 0; }
  bool operator==(const FileId&) const = default;
};

struct Span {
  FileId file;
  uint32_t begin = 0;  // byte offsets, half-open
  uint32_t end = 0;
  bool valid() const { return file.valid(); }
  bool operator==(const Span&) const = default;
};

// The smallest span that covers both (of one file).
Span join(Span a, Span b);

struct LineColumn {
  uint32_t line = 0;    // from 1
  uint32_t column = 0;  // from 1, in code points
};

class SourceFile {
 public:
  SourceFile(std::string path, std::string text);
  const std::string& path() const { return path_; }
  std::string_view text() const { return text_; }
  LineColumn lineColumn(uint32_t offset) const;
  uint32_t lineCount() const { return static_cast<uint32_t>(line_starts_.size()); }
  // Text of a line (from 1) without its newline.
  std::string_view line(uint32_t line) const;
  uint32_t lineStart(uint32_t line) const { return line_starts_[line - 1]; }

 private:
  std::string path_;
  std::string text_;
  std::vector<uint32_t> line_starts_;
};

class SourceManager {
 public:
  FileId add(std::string path, std::string text);
  const SourceFile& file(FileId id) const { return *files_[static_cast<size_t>(id.index)]; }
  std::string_view text(Span span) const {
    return file(span.file).text().substr(span.begin, span.end - span.begin);
  }
  size_t size() const { return files_.size(); }

 private:
  std::vector<std::unique_ptr<SourceFile>> files_;
};

}  // namespace dini
