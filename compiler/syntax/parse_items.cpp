#include <fmt/format.h>

#include "syntax/literals.h"
#include "syntax/parse_state.h"

namespace dini::syntax {

using namespace ast;

// `type`, `test` and `import` are keywords only here, at the start of an item.
void Parser::item(File& file) {
  size_t start = mark();
  bool path_follows = kind(1) == TokenKind::String || atWord("cpp", 1);
  if (atWord("import") && path_follows) {
    file.items.push_back(importItem());
  } else if (atWord("type") && kind(1) == TokenKind::Name) {
    file.items.push_back(typeItem());
  } else if (atWord("test") && (kind(1) == TokenKind::String || kind(1) == TokenKind::LBrace)) {
    file.items.push_back(testItem());
  } else if (at(TokenKind::Fn) && kind(1) == TokenKind::Name) {
    file.items.push_back(fnItem({}, start));
  } else if (at(TokenKind::At)) {
    std::vector<Attribute> given = attributes();
    if (at(TokenKind::Fn) && kind(1) == TokenKind::Name) {
      file.items.push_back(fnItem(std::move(given), start));
    } else {
      cursor_ = start;
      file.items.push_back({ItemKind::Statement, {}, {}, {}, {}, attributedStatement()});
    }
  } else {
    file.items.push_back({ItemKind::Statement, {}, {}, {}, {}, statement()});
  }
}

Item Parser::importItem() {
  size_t start = mark();
  auto made = std::make_unique<ImportDecl>();
  take();
  made->cpp = acceptWord("cpp");
  Token path = expect(TokenKind::String, "with the path");
  made->path = stringText(text(path));
  made->path_span = path.span;
  made->span = spanFrom(start);
  return {ItemKind::Import, {}, {}, std::move(made), {}, {}};
}

// type Layer[n] = { W: real[n, n], b: real[n] }
Item Parser::typeItem() {
  size_t start = mark();
  auto made = std::make_unique<TypeDecl>();
  take();
  made->name = expectName("the type's name");
  if (at(TokenKind::LBracket)) {
    Token open = take();
    do made->sizes.push_back(expectName("a size name"));
    while (accept(TokenKind::Comma));
    expectClose(TokenKind::RBracket, open);
  }
  expect(TokenKind::Assign);
  Token open = expect(TokenKind::LBrace, "and the record's fields");
  skipNewlines();
  while (!at(TokenKind::RBrace)) {
    Name name = expectName("a field's name");
    expect(TokenKind::Colon, "and the field's type");
    made->fields.push_back({std::move(name), type()});
    if (!accept(TokenKind::Comma)) break;
    skipNewlines();
  }
  skipNewlines();
  expectClose(TokenKind::RBrace, open);
  made->span = spanFrom(start);
  return {ItemKind::Type, {}, std::move(made), {}, {}, {}};
}

Item Parser::testItem() {
  size_t start = mark();
  auto made = std::make_unique<TestDecl>();
  take();
  Token title = expect(TokenKind::String, "with the test's title");
  made->title = stringText(text(title));
  made->body = block();
  made->span = spanFrom(start);
  return {ItemKind::Test, {}, {}, {}, std::move(made), {}};
}

// fn name(parameters) -> type = expression, or a block in place of `= expression`
Item Parser::fnItem(std::vector<Attribute> attributes, size_t start) {
  checkAttributes(attributes, "a function", true, true);
  auto made = std::make_unique<FnDecl>();
  made->attributes = std::move(attributes);
  expect(TokenKind::Fn);
  made->name = expectName("the function's name");
  made->parameters = parameters(/*types_required=*/true);
  if (!at(TokenKind::Arrow))
    failUnexpected("`->` and the result's type", "a named function states its result: `-> real`");
  take();
  made->result = type();
  if (at(TokenKind::LBrace)) {
    made->block_body = true;
    made->body = block();
  } else {
    if (!at(TokenKind::Assign)) failUnexpected("`=` or `{`");
    take();
    made->body = expression();
  }
  made->span = spanFrom(start);
  return {ItemKind::Fn, std::move(made), {}, {}, {}, {}};
}

std::vector<Attribute> Parser::attributes() {
  std::vector<Attribute> list;
  while (at(TokenKind::At)) {
    size_t start = mark();
    Attribute made;
    take();
    made.name = expectName("an attribute's name");
    if (at(TokenKind::LParen)) {
      RecordScope records(*this, true);
      Token open = take();
      while (!at(TokenKind::RParen)) {
        made.arguments.push_back(expression());
        if (!accept(TokenKind::Comma)) break;
      }
      expectClose(TokenKind::RParen, open);
    }
    made.span = spanFrom(start);
    list.push_back(std::move(made));
  }
  return list;
}

void Parser::checkAttributes(const std::vector<Attribute>& attributes, std::string_view place,
                             bool ties_allowed, bool bound_allowed) {
  for (const Attribute& a : attributes) {
    bool ties = a.name.text == "ties", bound = a.name.text == "bound";
    std::string message, help;
    if (!ties && !bound) {
      message = fmt::format("there is no attribute `@{}`", a.name.text);
      help = "the attributes are `@ties(policy)` and `@bound(n)`";
    } else if ((ties && !ties_allowed) || (bound && !bound_allowed)) {
      message = fmt::format("`@{}` before {}", a.name.text, place);
      help = ties ? "`@ties` stands before a function"
                  : "`@bound` stands before a loop or a recursive function";
    } else if (a.arguments.size() != 1) {
      message = fmt::format("`@{}` with {} arguments", a.name.text, a.arguments.size());
      help = ties ? "write a policy, as in `@ties(average)`" : "write a bound, as in `@bound(100)`";
    } else {
      continue;
    }
    sink_.add(DiagCode::BadAttribute, a.span, std::move(message)).help = std::move(help);
  }
}

}  // namespace dini::syntax
