// The runtime as compiled code sees it: names and addresses.
#include <immintrin.h>

#include "codegen/codegen.h"
#include "dini/complementarity.h"
#include "dini/lanes.h"
#include "dini/linalg.h"
#include "dini/math.h"
#include "dini/ordering.h"
#include "dini/projections.h"
#include "dini/sparse.h"

#define DINI_MATH1(name)                                                       \
  extern "C" __m128d _ZGVbN2v_##name(__m128d);                                 \
  extern "C" __m256d _ZGVdN4v_##name(__m256d) __attribute__((target("avx2"))); \
  extern "C" __m512d _ZGVeN8v_##name(__m512d) __attribute__((target("avx512f")));
#define DINI_MATH2(name)                                                                 \
  extern "C" __m128d _ZGVbN2vv_##name(__m128d, __m128d);                                 \
  extern "C" __m256d _ZGVdN4vv_##name(__m256d, __m256d) __attribute__((target("avx2"))); \
  extern "C" __m512d _ZGVeN8vv_##name(__m512d, __m512d) __attribute__((target("avx512f")));
#include "dini/math_functions.def"
#undef DINI_MATH1
#undef DINI_MATH2

namespace dini::codegen {

std::vector<RuntimeSymbol> runtimeSymbols() {
#define DINI_SYMBOL(name) \
  RuntimeSymbol { #name, reinterpret_cast<void*>(&name) }
  std::vector<RuntimeSymbol> symbols = {
      DINI_SYMBOL(dini_lgamma),
      DINI_SYMBOL(dini_polygamma),
      DINI_SYMBOL(dini_norm),
      DINI_SYMBOL(dini_linear_solve),
      DINI_SYMBOL(dini_linear_solve_work),
      DINI_SYMBOL(dini_sparse_solve),
      DINI_SYMBOL(dini_factor),
      DINI_SYMBOL(dini_factor_work),
      DINI_SYMBOL(dini_solve_factored),
      DINI_SYMBOL(dini_cholesky),
      DINI_SYMBOL(dini_eigh),
      DINI_SYMBOL(dini_eigh_work),
      DINI_SYMBOL(dini_svd),
      DINI_SYMBOL(dini_svd_work),
      DINI_SYMBOL(dini_qr),
      DINI_SYMBOL(dini_qr_work),
      DINI_SYMBOL(dini_lstsq),
      DINI_SYMBOL(dini_lstsq_work),
      DINI_SYMBOL(dini_root_ties),
      DINI_SYMBOL(dini_matmul),
      DINI_SYMBOL(dini_argsort),
      DINI_SYMBOL(dini_arg_extreme),
      DINI_SYMBOL(dini_sort_pick),
      DINI_SYMBOL(dini_reduce_pick),
      DINI_SYMBOL(dini_reduce_pick_t),
      DINI_SYMBOL(dini_proj_simplex),
      DINI_SYMBOL(dini_simplex_weights),
      DINI_SYMBOL(dini_proj_soc),
      DINI_SYMBOL(dini_soc_map),
      DINI_SYMBOL(dini_spectral),
      DINI_SYMBOL(dini_spectral_work),
      DINI_SYMBOL(dini_lanes_linear_solve),
      DINI_SYMBOL(dini_lanes_factor),
      DINI_SYMBOL(dini_lanes_solve_factored),
      DINI_SYMBOL(dini_lanes_norm),
  };
#define DINI_MATH1(name)                           \
  symbols.push_back(DINI_SYMBOL(_ZGVbN2v_##name)); \
  symbols.push_back(DINI_SYMBOL(_ZGVdN4v_##name)); \
  symbols.push_back(DINI_SYMBOL(_ZGVeN8v_##name));
#define DINI_MATH2(name)                            \
  symbols.push_back(DINI_SYMBOL(_ZGVbN2vv_##name)); \
  symbols.push_back(DINI_SYMBOL(_ZGVdN4vv_##name)); \
  symbols.push_back(DINI_SYMBOL(_ZGVeN8vv_##name));
#include "dini/math_functions.def"
#undef DINI_MATH1
#undef DINI_MATH2
#undef DINI_SYMBOL
  return symbols;
}

}  // namespace dini::codegen
