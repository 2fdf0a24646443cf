// The attribute @ties(policy) of a function: how derivatives weigh ties of the kinks written in it.
#pragma once

#include "syntax/ast.h"

namespace dini::lower {

// The mark of the function's kinks (ad/ties.h); 0 without the attribute.
int64_t tieMarkOf(const ast::FnDecl& fn);

}  // namespace dini::lower
