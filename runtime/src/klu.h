// The functions of KLU that are used (SuiteSparse, LGPL), opened at run time like OpenBLAS.
#pragma once

#ifdef DINI_WITH_KLU
#include <suitesparse/klu.h>

namespace dini::klu {

struct Table {
  decltype(&klu_l_defaults) defaults = nullptr;
  decltype(&klu_l_analyze) analyze = nullptr;
  decltype(&klu_l_factor) factor = nullptr;
  decltype(&klu_l_solve) solve = nullptr;
  decltype(&klu_l_tsolve) solve_transposed = nullptr;
  decltype(&klu_l_condest) estimate = nullptr;
  decltype(&klu_l_free_symbolic) free_symbolic = nullptr;
  decltype(&klu_l_free_numeric) free_numeric = nullptr;
};

// Null: not installed.
const Table* table();

}  // namespace dini::klu
#endif
