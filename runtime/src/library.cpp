// Calls of exported functions: sizes, results of dynamic size, statuses. Everything temporary lies
// in the caller's workspace.
#include "dini/library.h"

#include <cstring>

#include "tape.h"

using namespace dini_runtime;

namespace {

constexpr size_t kAlignment = 64;
constexpr int64_t kMaxDepth = 1000;  // the caller's stack is of unknown size

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

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

Layout layoutOf(const dini_function& function, Tape::Access tape) {
  Layout at{};
  size_t slots = 0;
  const auto descriptor = [&](int64_t rank) {
    slots += rank > 0 ? 1 + static_cast<size_t>(rank) : 0;
  };
  for (int64_t k = 0; k < function.n_out; ++k) descriptor(function.out_rank[k]);
  const int64_t written = tape == Tape::Access::Write ? function.tape->n_slots : 0;
  for (int64_t k = 0; k < written; ++k) descriptor(function.tape->slots[k].rank);
  at.in = 8 * static_cast<size_t>(function.n_sizes);
  at.out = at.in + 8 * static_cast<size_t>(function.n_in);
  at.descriptors = at.out + 8 * static_cast<size_t>(function.n_out + written);
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
      return "the problem is unbounded";
    case 5:
      return "the problem is infeasible";
    case 7:
      return "the problem is not convex";
    case 8:
      return "no point nearby satisfies the constraints";
    default:
      return "the solver gave up";
  }
}

// Fills the caller's info, if there is one. A `failure` is what ended the call, or a solve whose value
// became NaN; of several the first is described.
class Report {
 public:
  Report(dini_info* info, const dini_variant* variant) : info_(info), variant_(variant) {
    if (info_ == nullptr) return;
    info_->failed = info_->ties = 0;
    for (int64_t k = 0; k < members(); ++k) info_->member_status[k] = DINI_OK;
    describe(DINI_OK, nullptr);
  }

  int end(int64_t status, const dini_run* run) {
    if (info_ == nullptr) return static_cast<int>(status);
    if (status != DINI_OK) {
      if (run != nullptr && run->site >= 0 && status != DINI_INTERRUPTED) count(status, *run);
      describe(status, run);
    }
    info_->status = static_cast<int>(status);
    return static_cast<int>(status);
  }

  void failure(const dini_run& run) {
    if (info_ == nullptr) return;
    if (info_->failed == 0) describe(run.status, &run);
    count(run.status, run);
  }

  void needs(size_t bytes) {
    if (info_ != nullptr) info_->needed_bytes = bytes;
  }
  void tie() {
    if (info_ != nullptr) ++info_->ties;
  }
  const dini_variant* variant() const { return variant_; }

 private:
  int64_t members() const { return info_->member_status != nullptr ? info_->members : 0; }

  void count(int64_t status, const dini_run& run) {
    if (run.batch_index < 0 || run.batch_index >= members()) {
      ++info_->failed;
      return;
    }
    int& member = info_->member_status[run.batch_index];
    if (member != DINI_OK) return;
    member = static_cast<int>(status);
    ++info_->failed;
  }

  void describe(int64_t status, const dini_run* run) {
    info_->file = nullptr;
    info_->line = info_->column = 0;
    info_->text = "";
    info_->batch_index = run != nullptr ? run->batch_index : -1;
    info_->iterations = run != nullptr ? run->iterations : 0;
    info_->residual = run != nullptr ? run->residual : 0;
    info_->scale = run != nullptr ? run->scale : 0;
    info_->rcond = run != nullptr ? run->rcond : -1;
    info_->tolerance = run != nullptr ? run->tolerance : 0;
    info_->needed_bytes = 0;
    if (run == nullptr || run->site < 0) return;
    const dini_site& site = variant_->sites[run->site];
    info_->file = site.file;
    info_->line = site.line;
    info_->column = site.column;
    const bool solver = status == DINI_NOT_CONVERGED && site.kind == DINI_SITE_ROOT;
    info_->text = solver ? reasonText(run->reason) : site.text;
  }

  dini_info* info_;
  const dini_variant* variant_;
};

// What the callbacks of a run get.
struct Receiver {
  Report* report;
  const dini_run* run;
};

// What a program prints is not for libraries; that a solve failed is.
void takePrint(void* context, int64_t site, const void* const*, const int64_t*) {
  auto* receiver = static_cast<Receiver*>(context);
  if (receiver->report->variant()->sites[site].kind == DINI_SITE_NOTICE)
    receiver->report->failure(*receiver->run);
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
size_t workOf(const dini_function* function, const int64_t* sizes, Tape::Access tape) {
  const dini_variant* variant = chosen(*function);
  const Layout at = layoutOf(*function, tape);
  if (variant == nullptr) return kAlignment + at.frame;
  auto* expanded =
      static_cast<int64_t*>(__builtin_alloca(8 * static_cast<size_t>(function->n_sizes + 1)));
  if (!expandSizes(*function, sizes, expanded)) return kAlignment + at.frame;
  return kAlignment + at.frame + frameBytes(*variant, expanded);
}

void countTie(void* context, int64_t, int64_t kind, double, double, int64_t) {
  constexpr int64_t kDecided = 1, kUndecided = 2;  // of ir::TieKind
  if (kind == kDecided || kind == kUndecided) static_cast<Receiver*>(context)->report->tie();
}

// The parameters and results of the entry: first the tape's slots that are read, last those that
// are written. Gives the dynamic results' descriptors their places.
void bind(const dini_function& function, const void* const* in, void* const* out,
          const int64_t* sizes, const Tape& tape, const void** entry_in, void** entry_out,
          int64_t* descriptor) {
  const int64_t read = tape.access == Tape::Access::Read ? function.tape->n_slots : 0;
  if (read > 0) tape.addresses(entry_in);
  for (int64_t k = 0; k < function.n_in - read; ++k) {
    const int64_t from = function.in[k];
    entry_in[read + k] = from >= 0 ? in[from] : &sizes[~from];
  }
  const auto place = [&](int64_t rank, void* fixed) -> void* {
    if (rank == 0) return fixed;
    int64_t* own = descriptor;
    descriptor += 1 + rank;
    return own;
  };
  for (int64_t k = 0; k < function.n_out; ++k) entry_out[k] = place(function.out_rank[k], out[k]);
  if (tape.access != Tape::Access::Write) return;
  char* at = tape.data();
  for (int64_t k = 0; k < function.tape->n_slots; ++k) {
    const dini_slot& slot = function.tape->slots[k];
    entry_out[function.n_out + k] = place(slot.rank, at);
    if (slot.rank == 0) at += slotBytes(slot, nullptr);
  }
}

// The entry runs under no signature that the undefined-behaviour sanitizer could compare.
__attribute__((no_sanitize("undefined"))) int callOnce(const dini_function* function,
                                                       const void* const* in, void* const* out,
                                                       const int64_t* sizes, const Tape& tape,
                                                       void* work, dini_info* info,
                                                       dini_notes* notes) {
  static constexpr uint8_t kNever = 0;
  dini_run run{};
  run.site = run.batch_index = run.member = -1;
  run.rcond = -1;
  const dini_variant* variant = chosen(*function);
  Report report(info, variant);
  if (variant == nullptr) return report.end(DINI_CPU, nullptr);
  const Layout at = layoutOf(*function, tape.access);
  const auto address = reinterpret_cast<uintptr_t>(work);
  char* base = static_cast<char*>(work) + (aligned(address) - address);
  const size_t given = info != nullptr ? info->work_bytes : 0;
  // Not even what stands in front of the frame would fit.
  if (given > 0 && given < kAlignment + at.frame) return report.end(DINI_MEMORY, nullptr);
  auto* expanded = reinterpret_cast<int64_t*>(base);
  if (!expandSizes(*function, sizes, expanded)) return report.end(DINI_SHAPE, nullptr);
  size_t needed = 0;
  if (const int64_t failed = tape.open(sizes, variant->cpu_level, &needed); failed != DINI_OK) {
    report.end(failed, nullptr);
    report.needs(needed);
    return static_cast<int>(failed);
  }
  run.work_end = base + at.frame + frameBytes(*variant, expanded);
  if (given > 0) run.work_end = static_cast<char*>(work) + given;
  if (tape.access == Tape::Access::Read) tape.readDims(expanded);
  auto* entry_in = reinterpret_cast<const void**>(base + at.in);
  auto* entry_out = reinterpret_cast<void**>(base + at.out);
  bind(*function, in, out, sizes, tape, entry_in, entry_out,
       reinterpret_cast<int64_t*>(base + at.descriptors));
  Receiver receiver{&report, &run};
  run.cancel = info != nullptr && info->cancel != nullptr ? info->cancel : &kNever;
  run.depth_left = kMaxDepth - 1;
  run.context = &receiver;
  run.print = takePrint;
  run.notes = notes;
  run.report = countTie;
  int64_t status = variant->entry(entry_in, entry_out, expanded, base + at.frame, &run);
  if (status == DINI_OK && !deliver(*function, out, entry_out, sizes)) {
    run.site = -1;
    status = DINI_SHAPE;
  }
  if (status == DINI_OK && tape.access == Tape::Access::Write)
    status = tape.close(entry_out + function->n_out, sizes, variant->cpu_level, &needed);
  report.end(status, &run);
  report.needs(needed);
  return static_cast<int>(status);
}

int callWith(const dini_function* function, const void* const* in, void* const* out,
             const int64_t* sizes, const Tape& tape, void* work, dini_info* info) {
  dini_notes notes{0, 1, -1, -1};
  int status = callOnce(function, in, out, sizes, tape, work, info, &notes);
  const bool tie = notes.tie != 0;
  // Derivatives, and a status that they led to, are void where the fast variant met a tie.
  if (tie && function->probe != nullptr && status != DINI_INTERRUPTED)
    status = callOnce(function->probe, in, out, sizes, tape, work, info, &notes);
  if (info == nullptr) return status;
  info->tie = tie || info->ties > 0 ? 1 : 0;
  if (status == DINI_OK && notes.rcond_site >= 0) info->rcond = notes.rcond;
  return status;
}

}  // namespace

size_t dini_library_work(const dini_function* function, const int64_t* sizes) {
  const Tape::Access tape = accessOf(*function);
  const size_t fast = workOf(function, sizes, tape);
  const size_t probe = function->probe != nullptr ? workOf(function->probe, sizes, tape) : 0;
  return fast > probe ? fast : probe;
}

int dini_library_call(const dini_function* function, const void* const* in, void* const* out,
                      const int64_t* sizes, void* work, dini_info* info) {
  return callWith(function, in, out, sizes, Tape(), work, info);
}

int dini_library_forward(const dini_function* function, const void* const* in, void* const* out,
                         const int64_t* sizes, void* tape, void* work, dini_info* info) {
  const size_t given = info != nullptr ? info->tape_bytes : 0;
  const Tape written(*function->tape, Tape::Access::Write, static_cast<char*>(tape),
                     given > 0 ? given : dini_library_tape(function, sizes));
  return callWith(function, in, out, sizes, written, work, info);
}

int dini_library_linear(const dini_function* function, const void* tape, const void* const* in,
                        void* const* out, const int64_t* sizes, void* work, dini_info* info) {
  // Only read through this.
  auto* bytes = static_cast<char*>(const_cast<void*>(tape));
  const Tape read(*function->tape, Tape::Access::Read, bytes,
                  info != nullptr ? info->tape_bytes : 0);
  return callWith(function, in, out, sizes, read, work, info);
}

size_t dini_library_tape(const dini_function* function, const int64_t* sizes) {
  return tapeBytes(*function->tape, sizes);
}
