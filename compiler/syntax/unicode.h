// The code points that names are made of. Not here: UTF-8 itself (source/utf8.h).
#pragma once

namespace dini::syntax {

bool startsName(char32_t code_point);     // letters of any script, and _
bool continuesName(char32_t code_point);  // these, digits, combining marks, subscript digits

}  // namespace dini::syntax
