// The size names of a program and what is known of them. A name is
//   rigid     a size of a signature: different rigid names are different sizes;
//   unknown   the value of some int at run time: equal to itself, otherwise undecided;
//   flexible  to be inferred, from the arguments of a call: bound at most once, by unify.
// Not here: polynomials themselves (types/size.h), what types are compared (checker.h).
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "source/source.h"
#include "types/size.h"
#include "types/type.h"

namespace dini::sema {

enum class Verdict { Same, Undecided, Different };
Verdict worse(Verdict a, Verdict b);

class SizeTable {
 public:
  types::SizeName rigid(std::string text);
  types::SizeName unknown(std::string text);
  types::SizeName flexible(std::string text);
  // An unknown that depends only on its operands, such as "n div 2": the same operands give the
  // same name. Constant operands are not folded here.
  types::Size derived(const std::string& operation, const types::Size& a, const types::Size& b);

  // Flexible names replaced by what they were bound to.
  types::Size resolve(const types::Size& size) const;
  types::TypePtr resolve(const types::TypePtr& type) const;
  bool hasFlexible(const types::Type& type) const;
  bool hasUnknown(const types::Size& size) const;
  bool isRigidOnly(const types::Size& size) const;

  // Whether two sizes are equal, binding flexible names where that decides it. `where` is
  // remembered as the place that bound them.
  Verdict unify(const types::Size& a, const types::Size& b, Span where = {});
  // Pairs that were not linear in a flexible name: tried again, and forgotten.
  Verdict retryPending();
  // Where a flexible name was bound (invalid if it was not).
  Span boundAt(types::SizeName name) const { return infos_[name.id].bound_at; }
  // Fresh flexible names for those of `type` that are not bound.
  types::TypePtr generalised(const types::TypePtr& type,
                             std::unordered_map<uint32_t, types::SizeName>& renamed);
  types::Size generalised(const types::Size& size,
                          std::unordered_map<uint32_t, types::SizeName>& renamed);

  std::string spell(types::SizeName name) const;
  std::string str(const types::Size& size) const;
  std::string str(const types::Type& type) const;

 private:
  enum class Kind { Rigid, Unknown, Flexible };
  struct Info {
    Kind kind;
    std::string text;
    bool bound = false;
    types::Size value;
    Span bound_at;
  };
  types::SizeName make(Kind kind, std::string text);
  bool isFlexible(types::SizeName name) const;
  // Solves difference == 0 for a flexible name that it is linear in.
  bool solve(const types::Size& difference, Span where, Verdict& verdict);

  std::vector<Info> infos_;
  std::vector<types::Size> pending_;
  std::map<std::pair<std::string, std::string>, types::SizeName> derived_;
};

}  // namespace dini::sema
