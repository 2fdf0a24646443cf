// The types of a library's functions, as its header declares them.
#pragma once

#include <stdint.h>

#include "dini/dini.h"

using Call = int (*)(const void* const*, void* const*, const int64_t*, void*, dini_info*);
using Forward = int (*)(const void* const*, void* const*, const int64_t*, void*, void*, dini_info*);
using Linear = int (*)(const void*, const void* const*, void* const*, const int64_t*, void*, dini_info*);
using Bytes = size_t (*)(const int64_t*);
