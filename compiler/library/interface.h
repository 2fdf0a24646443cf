// What a compiled library offers: for each exported function, or derivative of one, its C name, the
// size names, and one leaf per array or number that goes in or comes out.
// Not here: code (build.h), the text of headers (c_header, cpp_header).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/ir.h"
#include "session/session.h"
#include "types/size.h"

namespace dini::library {

// A size of the C interface: a size name, or an int parameter that is one.
struct SizeArgument {
  std::string name;
  types::SizeName id;
};

struct Leaf {
  std::string name;  // in C: "X", "layer_W"; results: "value", "bar_X"
  ir::Elem elem = ir::Elem::F64;
  std::vector<types::Size> dims;  // in size names
  int size_argument = -1;         // an int parameter that is a size: it is not in `in`
  bool isScalar() const { return dims.empty(); }
};

struct Function {
  // One call, or one of the calls around a tape.
  enum class Step { Whole, Forward, Tangent, Backward };
  Step step = Step::Whole;
  std::string symbol;       // "ridge", "ridge_grad", "ridge_fwd"
  std::string tape_symbol;  // "ridge_tape_bytes": of a Forward step
  std::string derivative;   // "", "grad", "jvp", ..., "fwd", "tan", "bwd"
  std::string signature;    // as in the source
  std::string place;        // "model.dini:3"
  std::vector<SizeArgument> sizes;
  std::vector<Leaf> inputs;  // of the IR function, in order
  std::vector<Leaf> results;
  std::set<ir::Status> statuses;  // that a call may end with
  const ir::Function* lowered = nullptr;
  const ir::Function* probe = nullptr;  // runs where `lowered` meets a tie of `locked`; null: never
  bool probed = false;  // of a step: it belongs to the module of the lowerer with the probe
  std::shared_ptr<ir::Function> part;  // the owner of `lowered`, if it is a step
  size_t residuals = 0;  // of a step: slots of the tape, its last results or its first parameters
  bool exact_work = true,
       exact_tape = true;  // filled by build(): whether what is asked for is always enough
  // "2*n + 1"
  std::string spell(const types::Size& size) const;
};

using Dims = std::map<std::string, int64_t>;  // sizes fixed at compile time

// Lowers a function, or its derivative ("" for itself; "split" for the three steps around a tape);
// reports and gives nothing where it cannot.
std::vector<Function> describe(session::Session& session, const ast::FnDecl& declaration,
                               const std::string& derivative, const std::string& prefix,
                               const Dims& dims);
// Whether a function can be exported at all; else the reason.
std::string whyNot(const ast::FnDecl& declaration);

}  // namespace dini::library
