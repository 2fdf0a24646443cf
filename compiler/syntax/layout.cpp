#include "syntax/layout.h"

#include <algorithm>

namespace dini::syntax {
namespace {

uint32_t columnsOf(const std::string& text) {
  return static_cast<uint32_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // UTF-8 lead bytes
  }));
}

Doc leaf(Doc::Kind kind, std::string text, bool forced = false) {
  Doc doc;
  doc.kind = kind;
  doc.text = std::move(text);
  doc.forced = forced;
  return doc;
}

class Printer {
 public:
  explicit Printer(uint32_t width) : width_(width) {}

  std::string run(const Doc& doc) {
    push({&doc, 0, false});
    while (!stack_.empty()) {
      Item item = stack_.back();
      stack_.pop_back();
      step(item);
    }
    return std::move(out_);
  }

 private:
  struct Item {
    const Doc* doc;
    uint32_t indent;
    bool flat;
  };
  void push(Item item) { stack_.push_back(item); }
  static void expand(const Item& item, bool flat, std::vector<Item>& onto) {
    uint32_t indent = item.indent + item.doc->columns;
    for (auto part = item.doc->parts.rbegin(); part != item.doc->parts.rend(); ++part)
      onto.push_back({&*part, indent, flat});
  }
  void step(const Item& item);
  void write(const std::string& text);
  void newLine(uint32_t indent);
  bool fits(const Item& group) const;

  uint32_t width_;
  std::vector<Item> stack_;
  std::string out_;
  uint32_t column_ = 0;
  uint32_t pending_indent_ = 0;  // written before the next text, so that no line ends in blanks
};

void Printer::step(const Item& item) {
  switch (item.doc->kind) {
    case Doc::Kind::Text:
    case Doc::Kind::Comment:
      return write(item.doc->text);
    case Doc::Kind::Line:
      return item.flat ? write(item.doc->text) : newLine(item.indent);
    case Doc::Kind::BlankLine:
      newLine(item.indent);
      [[fallthrough]];
    case Doc::Kind::HardLine:
      return newLine(item.indent);
    case Doc::Kind::Concat:
    case Doc::Kind::Indent:
      return expand(item, item.flat, stack_);
    case Doc::Kind::Group: {
      bool flat = !item.doc->forced && (item.flat || fits(item));
      return expand(item, flat, stack_);
    }
  }
}

void Printer::write(const std::string& text) {
  if (text.empty()) return;
  out_.append(pending_indent_, ' ');
  column_ += pending_indent_ + columnsOf(text);
  pending_indent_ = 0;
  out_ += text;
}

void Printer::newLine(uint32_t indent) {
  while (!out_.empty() && out_.back() == ' ') out_.pop_back();
  out_ += '\n';
  column_ = 0;
  pending_indent_ = indent;
}

// Whether the group on one line, and what follows up to the next possible break, fits.
bool Printer::fits(const Item& group) const {
  uint32_t used = column_ + pending_indent_;
  std::vector<Item> todo;
  expand(group, true, todo);
  size_t rest = stack_.size();
  while (used <= width_) {
    if (todo.empty()) {
      if (rest == 0) return true;
      todo.push_back(stack_[--rest]);
    }
    Item item = todo.back();
    todo.pop_back();
    switch (item.doc->kind) {
      case Doc::Kind::Text:
        used += columnsOf(item.doc->text);
        break;
      case Doc::Kind::Comment:
        break;
      case Doc::Kind::Line:
        if (!item.flat) return true;
        used += columnsOf(item.doc->text);
        break;
      case Doc::Kind::HardLine:
      case Doc::Kind::BlankLine:
        return true;
      case Doc::Kind::Concat:
      case Doc::Kind::Indent:
      case Doc::Kind::Group:
        expand(item, item.flat && !item.doc->forced, todo);
        break;
    }
  }
  return false;
}

}  // namespace

Doc text(std::string text) { return leaf(Doc::Kind::Text, std::move(text)); }
Doc commentText(std::string text) { return leaf(Doc::Kind::Comment, std::move(text), true); }
Doc line() { return leaf(Doc::Kind::Line, " "); }
Doc softLine() { return leaf(Doc::Kind::Line, ""); }
Doc lineOr(std::string on_one_line) { return leaf(Doc::Kind::Line, std::move(on_one_line)); }
Doc hardLine() { return leaf(Doc::Kind::HardLine, "", true); }
Doc blankLine() { return leaf(Doc::Kind::BlankLine, "", true); }

Doc concat(std::vector<Doc> parts) {
  Doc doc;
  doc.parts = std::move(parts);
  for (const Doc& part : doc.parts) doc.forced = doc.forced || part.forced;
  return doc;
}

Doc indent(Doc inner, uint32_t columns) {
  Doc doc;
  doc.kind = Doc::Kind::Indent;
  doc.columns = columns;
  doc.forced = inner.forced;
  doc.parts.push_back(std::move(inner));
  return doc;
}

Doc group(Doc inner, Breaks breaks) {
  Doc doc;
  doc.kind = Doc::Kind::Group;
  doc.forced = inner.forced || breaks == Breaks::Always;
  doc.parts.push_back(std::move(inner));
  return doc;
}

std::string print(const Doc& doc, uint32_t width) { return Printer(width).run(doc); }

}  // namespace dini::syntax
