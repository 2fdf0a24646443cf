// The state of a script between two iterations of a top-level loop, as a file: which statement, which
// iteration, and the values of all top-level variables, to the bit. Invariants: a file under the name that
// was given is complete (written beside, brought to the disk, renamed), whatever ends the process; what
// does not pass its checksum is refused.
// Not here: when one is written and how a script goes on from it (training.cpp).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "ir/tensor.h"
#include "session/data_file.h"
#include "session/loop_parts.h"

namespace dini::session {

struct DataMark {  // a data file as it was read
  std::string path;
  uint64_t hash = 0;
};

struct Checkpoint {
  uint64_t program = 0;  // hash of the sources and of what changes results,
  uint64_t build = 0;    // of the compiler
  std::vector<DataMark> data;
  int64_t statement = 0;   // of the file: those before are done,
  int64_t iterations = -1; // and so many iterations of this loop; -1: not begun
  LoopRange range;
  struct Variable {
    std::string name;
    std::vector<ir::Tensor> leaves;
  };
  std::vector<Variable> variables;
};

// Guards against mistakes, not against malice: FNV-1a.
uint64_t hashOf(std::string_view bytes, uint64_t seed = 0xcbf29ce484222325);
uint64_t hashOf(const lower::HostValue& value);

std::string checkpointBytes(const Checkpoint& checkpoint);
// Null: the bytes are no checkpoint, or damaged.
std::optional<Checkpoint> readCheckpoint(std::string_view bytes);
// Empty message: it stands there, and on the disk.
DataError writeAtomically(const std::string& bytes, const std::string& path);

}  // namespace dini::session
