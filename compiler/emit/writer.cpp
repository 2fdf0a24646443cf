#include "emit/writer.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "ir/walk.h"

namespace dini::emit {

Piece spelled(std::string_view spelling, const std::vector<Piece>& operands, int64_t attribute) {
  bool conditional = spelling.find(" ? ") != std::string_view::npos;
  bool call = !conditional && spelling.ends_with(')') && std::isalpha(static_cast<unsigned char>(spelling[0]));
  Piece made;
  made.atom = call || (spelling.starts_with('(') && spelling.ends_with(')')) || spelling == "%0";
  for (size_t k = 0; k < spelling.size(); ++k) {
    if (spelling[k] != '%') {
      made.text += spelling[k];
      continue;
    }
    char what = spelling[++k];
    if (what == 'i') made.text += fmt::format("{}", attribute);
    else made.text += call ? operands[static_cast<size_t>(what - '0')].text : operand(operands[static_cast<size_t>(what - '0')]);
  }
  if (spelling == "%0") made.atom = operands[0].atom;
  return made;
}

std::string decimal(double number) {
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", number);
  size_t exponent = text.find('e');
  if (exponent == std::string::npos) return text.find('.') == std::string::npos ? text + ".0" : text;
  return text;
}

bool isShown(const Uses& uses, const ir::Op& op, size_t k) {
  if (op.code == ir::OpCode::If) return k == 0;
  if (op.code == ir::OpCode::NoteTie) return k == 1;
  if (op.code == ir::OpCode::ReportTie) return k == 2;
  if (op.code == ir::OpCode::Choose || op.code == ir::OpCode::ChooseTie) {
    const ir::Op* b = op.operand(3)->def;  // abs(p) does not show -p
    bool abs = op.operand(0) == op.operand(2) && isRealLiteral(op.operand(1), 0) && b != nullptr && b->code == ir::OpCode::Neg && b->operand(0) == op.operand(0);
    return k < (abs ? 3 : 4);
  }
  if (op.code != ir::OpCode::Yield || op.parent->parent == nullptr) return true;
  const ir::Op& around = *op.parent->parent;
  if (around.code == ir::OpCode::If || around.code == ir::OpCode::Try) return !uses.unused(around.result(k));
  if (around.code != ir::OpCode::Root || op.parent != around.regions[0].get()) return true;
  size_t unknowns = around.operands.size();
  if (k < unknowns || k == unknowns + kYieldsBeforeTolerance) return true;
  return k == unknowns ? !uses.unused(around.result(k)) : k == unknowns + 2 && !uses.unused(around.result(k - 1));
}

std::set<std::string, std::less<>> calleesOf(const ir::Module& module, const ir::Function& function) {
  std::set<std::string, std::less<>> found;
  std::vector<const ir::Function*> left{&function};
  while (!left.empty()) {
    const ir::Function* at = left.back();
    left.pop_back();
    ir::walk(at->body, [&](const ir::Op& op) {
      if (op.code == ir::OpCode::Call && found.insert(op.attrs.str).second) left.push_back(module.find(op.attrs.str));
    });
  }
  return found;
}

std::string calleeName(const std::string& name) {
  std::string made = "call_";
  for (char c : name) made += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return made;
}

bool Lines::hasOther(size_t from, std::initializer_list<std::string_view> words) const {
  std::string_view left = std::string_view(text_).substr(from);
  while (!left.empty()) {
    std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(line.size() + 1);
    if (line.size() <= 2 * depth_ || line[2 * depth_] == ' ') continue;
    line.remove_prefix(2 * depth_);
    if (std::none_of(words.begin(), words.end(), [&](std::string_view word) { return line.starts_with(word); })) return true;
  }
  return false;
}

void Lines::enclose(size_t from, std::string_view head, std::string_view end) {
  std::string inside = text_.substr(from);
  text_.resize(from);
  open(head);
  for (size_t begin = 0; begin < inside.size();) {
    size_t stop = inside.find('\n', begin);
    text_ += "  " + inside.substr(begin, stop - begin) + "\n";
    begin = stop + 1;
  }
  close(end);
}

void Lines::line(std::string_view text) {
  text_ += std::string(2 * depth_, ' ');
  text_ += text;
  text_ += '\n';
}

void Lines::open(std::string_view text) {
  line(text);
  ++depth_;
}

void Lines::close(std::string_view text) {
  --depth_;
  line(text);
}

void Lines::next(std::string_view text) {
  close(text);
  ++depth_;
}

void Lines::place(const std::optional<Place>& place) {
  if (!place) return;
  std::string here = fmt::format("{} {}:{}: {}", comment_, place->file, place->line, place->text);
  if (here == last_place_) return;
  line(here);
  last_place_ = std::move(here);
}

}  // namespace dini::emit
