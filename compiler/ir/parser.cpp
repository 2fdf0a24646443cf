// Reads the text form that printer.cpp writes. Names resolve to values already defined; whether a
// value is visible where it is used, and whether types fit, is the verifier's concern.
#include <charconv>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "ir/builder.h"
#include "ir/printer.h"

namespace dini::ir {
namespace {

struct ParseError {
  std::string text;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::unique_ptr<Module> module() {
    auto module = std::make_unique<Module>();
    while (skipSpace(), at_ < text_.size()) {
      auto parsed = function();
      if (module->find(parsed->name)) fail("a second function " + parsed->name);
      module->add(std::move(parsed));
    }
    return module;
  }

  size_t line() const {
    size_t count = 1;
    for (size_t k = 0; k < at_ && k < text_.size(); ++k) count += text_[k] == '\n' ? 1 : 0;
    return count;
  }

 private:
  struct ValueName {
    uint64_t number = 0;
    std::string name;
  };
  struct ValueType {
    Type type;
    bool linear = false;
  };

  // --- characters
  [[noreturn]] void fail(std::string text) { throw ParseError{std::move(text)}; }
  void skipSpace() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
      else if (text_.substr(at_, 2) == "//") at_ = std::min(text_.find('\n', at_), text_.size());
      else break;
    }
  }
  bool accept(std::string_view token) {
    skipSpace();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) fail(fmt::format("expected '{}'", token));
  }
  std::string word() {
    skipSpace();
    size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    if (begin == at_) fail("expected a word");
    return std::string(text_.substr(begin, at_ - begin));
  }
  bool acceptWord(std::string_view expected) {
    skipSpace();
    size_t before = at_;
    if (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) &&
        word() == expected)
      return true;
    at_ = before;
    return false;
  }
  std::string string() {
    expect("\"");
    std::string result;
    while (at_ < text_.size() && text_[at_] != '"') {
      char c = text_[at_++];
      if (c == '\\' && at_ < text_.size()) {
        c = text_[at_++];
        if (c == 'n') c = '\n';
      }
      result += c;
    }
    expect("\"");
    return result;
  }
  template <class T>
  T number() {
    skipSpace();
    T value{};
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("expected a number");
    at_ = static_cast<size_t>(end - text_.data());
    return value;
  }
  double realNumber() {
    // from_chars of the standard library at hand may not read doubles: strtod on a copied word.
    skipSpace();
    size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) ||
                                  text_[at_] == '.' || text_[at_] == '-' || text_[at_] == '+'))
      ++at_;
    std::string copy(text_.substr(begin, at_ - begin));
    char* end = nullptr;
    double value = std::strtod(copy.c_str(), &end);
    if (copy.empty() || *end != '\0') fail("expected a real number");
    return value;
  }

  // --- pieces
  std::string symbol() {
    expect("@");
    return at_ < text_.size() && text_[at_] == '"' ? string() : word();
  }
  ValueName valueName() {
    expect("%");
    ValueName name{number<uint64_t>(), ""};
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      name.name = word();
    }
    return name;
  }
  Value* use() {
    ValueName name = valueName();
    auto it = values_.find(name.number);
    if (it == values_.end()) fail(fmt::format("%{} is not defined", name.number));
    return it->second;
  }
  void define(const ValueName& name, Value* value) {
    value->name = name.name;
    if (!values_.emplace(name.number, value).second)
      fail(fmt::format("%{} is defined twice", name.number));
  }
  ValueType type() {
    ValueType result;
    std::string elem = word();
    if (elem == "f64") result.type.elem = Elem::F64;
    else if (elem == "i64") result.type.elem = Elem::I64;
    else if (elem == "i1") result.type.elem = Elem::I1;
    else fail("unknown element type " + elem);
    if (accept("[")) {
      do result.type.dims.push_back(accept("?") ? kDynamic : number<int64_t>());
      while (accept(","));
      expect("]");
    }
    result.linear = acceptWord("linear");
    return result;
  }
  // "(%0: f64, ...)", appended to the region's arguments.
  void arguments(Region& region) {
    expect("(");
    while (!accept(")")) {
      ValueName name = valueName();
      expect(":");
      ValueType parsed = type();
      Value* value = function_->addArgument(region, parsed.type);
      value->linear = parsed.linear;
      define(name, value);
      accept(",");
    }
  }
  Attrs attributes() {
    Attrs attrs;
    if (!accept("<")) return attrs;
    do {
      std::string key = word();
      expect("=");
      if (key == "i") attrs.i = number<int64_t>();
      else if (key == "f") attrs.f = realNumber();
      else if (key == "str") attrs.str = string();
      else if (key == "ints") attrs.ints = list<int64_t>([&] { return number<int64_t>(); });
      else if (key == "data")
        attrs.data = std::make_shared<const std::vector<double>>(
            list<double>([&] { return realNumber(); }));
      else fail("unknown attribute " + key);
    } while (accept(","));
    expect(">");
    return attrs;
  }
  template <class T, class Item>
  std::vector<T> list(const Item& item) {
    std::vector<T> items;
    expect("[");
    if (accept("]")) return items;
    do items.push_back(item());
    while (accept(","));
    expect("]");
    return items;
  }

  void operation(Region& region) {
    std::vector<ValueName> names;
    skipSpace();
    if (text_.substr(at_, 1) == "%") {
      do names.push_back(valueName());
      while (accept(","));
      expect("=");
    }
    std::string mnemonic = word();
    auto code = opcodeNamed(mnemonic);
    if (!code) fail("unknown operation " + mnemonic);
    std::vector<Value*> operands;
    expect("(");
    while (!accept(")")) {
      operands.push_back(use());
      accept(",");
    }
    Attrs attrs = attributes();
    Op& op = Builder(*function_, region).emitUnchecked(*code, std::move(operands), std::move(attrs));
    std::vector<ValueType> types;
    if (accept(":")) {
      do types.push_back(type());
      while (accept(","));
    }
    if (types.size() != names.size()) fail("expected one type per result");
    for (auto& nested : op.regions) {
      expect("{");
      arguments(*nested);
      operations(*nested);
    }
    for (size_t k = 0; k < types.size(); ++k) {
      Value* result = function_->addResult(op, types[k].type);
      result->linear = types[k].linear;
      define(names[k], result);
    }
  }

  // Up to and including the closing brace.
  void operations(Region& region) {
    while (!accept("}")) operation(region);
    if (region.ops.empty() || region.terminator().code != OpCode::Yield)
      fail("a region must end with yield");
  }

  std::unique_ptr<Function> function() {
    expect("func");
    auto parsed = std::make_unique<Function>(symbol());
    function_ = parsed.get();
    values_.clear();
    arguments(parsed->body);
    expect("{");
    operations(parsed->body);
    return parsed;
  }

  std::string_view text_;
  size_t at_ = 0;
  Function* function_ = nullptr;
  std::unordered_map<uint64_t, Value*> values_;
};

}  // namespace

std::variant<std::unique_ptr<Module>, std::string> parseModule(std::string_view text) {
  Parser parser(text);
  try {
    return parser.module();
  } catch (const ParseError& error) {
    return fmt::format("line {}: {}", parser.line(), error.text);
  }
}

}  // namespace dini::ir
