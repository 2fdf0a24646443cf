// Values as text: what `print`, `dini eval` and the REPL show, and JSON. Arrays as ir/text.h
// writes them, tuples (a, b), records as their literals. JSON has no NaN or infinity: they are the strings "nan", "inf" and "-inf".
#pragma once

#include <string>

#include "lower/lower.h"

namespace dini::session {

std::string valueText(const lower::HostValue& value);
// One line; tuples as arrays, records as objects.
std::string valueJson(const lower::HostValue& value);

}  // namespace dini::session
