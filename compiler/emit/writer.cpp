#include <cmath>
#include "emit/writer.h"

#include <cctype>

#include <fmt/format.h>

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
