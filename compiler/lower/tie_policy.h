// The attribute @ties(policy) of a function: how derivatives requested of it weigh ties.
#pragma once

#include "ad/ad.h"
#include "syntax/ast.h"

namespace dini::lower {

// `otherwise` where the function has no such attribute.
ad::TieOptions tiesOf(const ast::FnDecl& fn, const ad::TieOptions& otherwise);

}  // namespace dini::lower
