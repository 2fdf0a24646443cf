// Calls of exported functions: sizes, results of dynamic size, statuses. Everything temporary lies
// in the caller's workspace.
#include "dini/library.h"

#include <cstring>


namespace {

constexpr size_t kAlignment = 64;
constexpr int64_t kMaxDepth = 1000;  // the caller's stack is of unknown size
constexpr int64_t kHuge = int64_t{1} << 60;  // sizes saturate here: no workspace has it

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// The value of the polynomial at `*code`, which is moved behind it; saturates.
int64_t evaluate(const int64_t*& code, const int64_t* sizes) {
  int64_t sum = 0;
  for (int64_t terms = *code++; terms > 0; --terms) {
    int64_t product = *code++;
    for (int64_t factors = *code++; factors > 0; --factors)
      if (__builtin_mul_overflow(product, sizes[*code++], &product)) product = kHuge;
    if (__builtin_add_overflow(sum, product, &sum)) sum = kHuge;
  }
  return sum < kHuge ? sum : kHuge;
}

int cpuLevel() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) return 1;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi2"))
    return 2;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
    return 3;
  return 4;
}

const dini_variant* chosen(const dini_function& function) {
  const int level = cpuLevel();
  for (int64_t k = 0; k < function.n_variants; ++k)
    if (function.variants[k].cpu_level <= level) return &function.variants[k];
  return nullptr;
}

// What a call needs in front of the entry's frame, in bytes from its start.
struct Layout {
  size_t sizes, in, out, descriptors, frame;
};

Layout layoutOf(const dini_function& function) {
  Layout at{};
  size_t slots = 0;
  for (int64_t k = 0; k < function.n_out; ++k)
    if (function.out_rank[k] > 0) slots += 1 + static_cast<size_t>(function.out_rank[k]);
  at.in = 8 * static_cast<size_t>(function.n_sizes);
  at.out = at.in + 8 * static_cast<size_t>(function.n_in);
  at.descriptors = at.out + 8 * static_cast<size_t>(function.n_out);
  at.frame = aligned(at.descriptors + 8 * slots);
  return at;
}

bool expandSizes(const dini_function& function, const int64_t* sizes, int64_t* expanded) {
  const int64_t* code = function.sizes;
  for (int64_t k = 0; k < function.n_sizes; ++k) {
    expanded[k] = evaluate(code, sizes);
    if (expanded[k] < 0 || expanded[k] >= kHuge) return false;
  }
  return true;
}

size_t frameBytes(const dini_variant& variant, const int64_t* expanded) {
  int64_t total = variant.frame;
  const int64_t* code = variant.pieces;
  for (int64_t k = 0; k < variant.n_pieces; ++k) {
    const int64_t piece = evaluate(code, expanded);
    if (piece > 0) total = total + piece < kHuge ? total + piece : kHuge;
  }
  return aligned(static_cast<size_t>(total));
}

void ignorePrint(void*, int64_t, const void* const*, const int64_t*) {}

const char* reasonText(int64_t reason) {
  switch (reason) {
    case 0:
      return "the solver stopped where the equations do not hold";
    case 1:
      return "the iteration limit was reached";
    case 2:
      return "no further progress was possible";
    case 3:
      return "a value became infinite or NaN";
    case 4:
      return "the problem seems unbounded";
    case 5:
      return "the problem seems infeasible";
    default:
      return "the solver gave up";
  }
}

int finish(dini_info* info, int64_t status, const dini_variant* variant, const dini_run& run) {
  if (info == nullptr) return static_cast<int>(status);
  info->status = static_cast<int>(status);
  info->file = nullptr;
  info->line = info->column = 0;
  info->text = "";
  info->batch_index = run.batch_index;
  info->iterations = run.iterations;
  info->residual = run.residual;
  info->scale = run.scale;
  info->rcond = run.rcond;
  info->tolerance = run.tolerance;
  if (status != DINI_OK && variant != nullptr && run.site >= 0) {
    const dini_site& site = variant->sites[run.site];
    info->file = site.file;
    info->line = site.line;
    info->column = site.column;
    info->text = status == DINI_NOT_CONVERGED && site.is_root ? reasonText(run.reason) : site.text;
  }
  return static_cast<int>(status);
}

// Copies the results of dynamic size from the workspace to the caller.
bool deliver(const dini_function& function, void* const* out, void* const* described,
             const int64_t* sizes) {
  const int64_t* code = function.out_sizes;
  for (int64_t k = 0; k < function.n_out; ++k) {
    const int64_t rank = function.out_rank[k];
    if (rank == 0) continue;
    const auto* descriptor = static_cast<const int64_t*>(described[k]);
    const int64_t count = evaluate(code, sizes);
    for (int64_t axis = 0; axis < rank; ++axis)
      if (descriptor[1 + axis] != evaluate(code, sizes)) return false;
    std::memcpy(out[k], reinterpret_cast<const void*>(descriptor[0]),
                static_cast<size_t>(count * function.out_bytes[k]));
  }
  return true;
}

}  // namespace

namespace {
size_t workOf(const dini_function* function, const int64_t* sizes) {
  const dini_variant* variant = chosen(*function);
  const Layout at = layoutOf(*function);
  if (variant == nullptr) return kAlignment + at.frame;
  auto* expanded =
      static_cast<int64_t*>(__builtin_alloca(8 * static_cast<size_t>(function->n_sizes + 1)));
  if (!expandSizes(*function, sizes, expanded)) return kAlignment + at.frame;
  return kAlignment + at.frame + frameBytes(*variant, expanded);
}

void ignoreReport(void*, int64_t, int64_t, double, double, int64_t) {}

// The entry runs under no signature that the undefined-behaviour sanitizer could compare.
__attribute__((no_sanitize("undefined"))) int callOnce(
    const dini_function* function, const void* const* in, void* const* out, const int64_t* sizes,
    void* work, dini_info* info, dini_notes* notes) {
  static constexpr uint8_t kNever = 0;
  dini_run run{};
  run.site = run.batch_index = -1;
  run.rcond = -1;
  const dini_variant* variant = chosen(*function);
  if (variant == nullptr) return finish(info, DINI_CPU, nullptr, run);
  const Layout at = layoutOf(*function);
  const auto address = reinterpret_cast<uintptr_t>(work);
  char* base = static_cast<char*>(work) + (aligned(address) - address);
  const size_t given = info != nullptr ? info->work_bytes : 0;
  // Not even what stands in front of the frame would fit.
  if (given > 0 && given < kAlignment + at.frame) return finish(info, DINI_MEMORY, nullptr, run);
  auto* expanded = reinterpret_cast<int64_t*>(base);
  if (!expandSizes(*function, sizes, expanded)) return finish(info, DINI_SHAPE, nullptr, run);
  const size_t needed = frameBytes(*variant, expanded);
  auto* entry_in = reinterpret_cast<const void**>(base + at.in);
  auto* entry_out = reinterpret_cast<void**>(base + at.out);
  auto* descriptor = reinterpret_cast<int64_t*>(base + at.descriptors);
  for (int64_t k = 0; k < function->n_in; ++k) {
    const int64_t from = function->in[k];
    entry_in[k] = from >= 0 ? in[from] : &sizes[~from];
  }
  for (int64_t k = 0; k < function->n_out; ++k) {
    entry_out[k] = function->out_rank[k] > 0 ? static_cast<void*>(descriptor) : out[k];
    if (function->out_rank[k] > 0) descriptor += 1 + function->out_rank[k];
  }
  run.cancel = info != nullptr && info->cancel != nullptr ? info->cancel : &kNever;
  run.work_end = base + at.frame + needed;
  if (given > 0) run.work_end = static_cast<char*>(work) + given;
  run.depth_left = kMaxDepth - 1;
  run.print = ignorePrint;
  run.notes = notes;
  run.report = ignoreReport;
  int64_t status = variant->entry(entry_in, entry_out, expanded, base + at.frame, &run);
  if (status == DINI_OK && !deliver(*function, out, entry_out, sizes)) {
    run.site = -1;
    status = DINI_SHAPE;
  }
  return finish(info, status, variant, run);
}

}  // namespace

size_t dini_library_work(const dini_function* function, const int64_t* sizes) {
  const size_t fast = workOf(function, sizes);
  const size_t probe = function->probe != nullptr ? workOf(function->probe, sizes) : 0;
  return fast > probe ? fast : probe;
}

int dini_library_call(const dini_function* function, const void* const* in, void* const* out,
                      const int64_t* sizes, void* work, dini_info* info) {
  dini_notes notes{0, 1, -1};
  int status = callOnce(function, in, out, sizes, work, info, &notes);
  const bool tie = notes.tie != 0;
  // Derivatives, and a status that they led to, are void where the fast variant met a tie.
  if (tie && function->probe != nullptr && status != DINI_INTERRUPTED)
    status = callOnce(function->probe, in, out, sizes, work, info, &notes);
  if (info != nullptr) info->tie = tie ? 1 : 0;
  return status;
}

const char* dini_status_text(int status) {
  switch (status) {
    case DINI_OK:
      return "success";
    case DINI_NOT_CONVERGED:
      return "the solver did not converge";
    case DINI_NON_FINITE:
      return "a value is infinite or NaN";
    case DINI_SINGULAR:
      return "a matrix is singular";
    case DINI_START_OUT_OF_DOMAIN:
      return "the equations cannot be evaluated at the start";
    case DINI_MULTIPLE_ROOT:
      return "the root is multiple: it has no derivative";
    case DINI_ASSERTION:
      return "an assertion does not hold";
    case DINI_BOUNDS:
      return "an index is out of bounds";
    case DINI_BOUND:
      return "more iterations or deeper calls than allowed";
    case DINI_SHAPE:
      return "sizes do not fit";
    case DINI_INTERRUPTED:
      return "interrupted";
    case DINI_MEMORY:
      return "the workspace is too small";
    case DINI_DOMAIN:
      return "an argument is outside the domain";
    case DINI_IRREGULAR:
      return "the equations define no derivative: their Jacobian is singular for some tie weights";
    case DINI_CPU:
      return "this CPU lacks instructions that the library was compiled for";
    default:
      return "unknown status";
  }
}
