// The C interface of an exported function as LLVM code: its tables (runtime/include/dini/library.h)
// and the two functions that a program calls. The code of the function itself is a module of its
// own, one per CPU that the library is made for.
#pragma once

#include "codegen/codegen.h"

namespace dini::codegen {

// Where a status comes from, as text.
struct ExportSite {
  std::string file, text;
  int64_t line = 0, column = 0;
  int64_t kind = 0;  // dini_site_kind
};

struct ExportVariant {
  std::string symbol;  // of the entry
  MemoryBound memory;  // in the sizes that the entry takes
  std::vector<ExportSite> sites;
  int cpu_level = 1;  // of the x86-64 ABI
};

struct ExportResult {
  std::vector<types::Size> dims;  // in the exported sizes
  std::vector<bool> dynamic;      // which of them the entry reports
  int64_t element_bytes = 8;
};

// What lies on the tape between the two steps of a function (dini_tape in runtime/.../library.h).
struct ExportSlot {
  int64_t element_bytes = 8;
  int64_t count = 1;                                 // product of the constant dimensions
  std::vector<std::optional<types::Size>> dims;      // the others: at most, in the exported sizes
  std::optional<types::Size> value;                  // of an int: at most
};

struct ExportTape {
  int64_t hash = 0;
  int64_t exported_sizes = 0;
  std::vector<ExportSlot> slots;
};

struct Export {
  enum class Step { Whole, Forward, Linear };
  std::string symbol;  // what C calls: `symbol` and `symbol_work_bytes`
  Step step = Step::Whole;
  std::shared_ptr<const ExportTape> tape;  // null where the step is Whole
  std::string tape_symbol;                 // Forward: the name of the function that gives its size
  std::vector<ExportVariant> variants;
  std::vector<int64_t> inputs;      // of the entry: position in the caller's `in`, or ~j: size j
  std::vector<types::Size> sizes;   // that the entry takes, in the exported ones (SizeName{j})
  std::vector<ExportResult> results;
  std::shared_ptr<const Export> probe;  // the variant of `locked` with the probe, if it is needed
};

// What a site is to the runtime (dini_site_kind).
int64_t siteKind(const Site& site);

// Gives the entry of a unit the symbol, seen in the library but not outside.
void nameEntry(Unit& unit, const std::string& symbol);
std::unique_ptr<llvm::Module> emitExport(llvm::LLVMContext& context, const Export& exported,
                                         const Target& target);

}  // namespace dini::codegen
