// Values as text: what `print`, `dini eval` and the REPL show, and JSON. Reals have 17 significant
// digits, enough to give the same double back; arrays are nested [...]; tuples (a, b); records as
// their literals. JSON has no NaN or infinity: they are the strings "nan", "inf" and "-inf".
#pragma once

#include <string>

#include "lower/lower.h"

namespace dini::session {

std::string formatReal(double value);
std::string valueText(const lower::HostValue& value);
// One line; tuples as arrays, records as objects.
std::string valueJson(const lower::HostValue& value);

}  // namespace dini::session
