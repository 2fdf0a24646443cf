// How IR values exist while a function is emitted: scalars in registers (one value, or eight
// lanes), arrays in buffers, or virtual arrays, whose elements are computed where they are read.
#pragma once

#include <vector>

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Value.h>

#include "ir/ir.h"

namespace dini::codegen {

inline constexpr int64_t kLanes = 8;

// A position along one axis, for one element or for eight lanes: lane l is at base + l * step, or
// at vector[l].
struct Index {
  llvm::Value* base = nullptr;  // i64
  int64_t step = 0;
  llvm::Value* vector = nullptr;  // <8 x i64>, replaces the others
  bool uniform() const { return vector == nullptr && step == 0; }
};

// An element of an array: one Index per axis, or a single one into the row-major sequence.
// Positions made at different times have different ids (memoisation).
struct Position {
  bool linear = false;
  llvm::SmallVector<Index, 4> at;
  uint64_t id = 0;
};

// Memory that buffers live in. Several values may share it (views, updates in place).
struct Storage {
  // Foreign: arguments and constants, never written. Output: the caller's memory for a result.
  enum class Kind { Frame, Dynamic, Foreign, Output };
  Kind kind = Kind::Foreign;
  const ir::Region* region = nullptr;  // that owns it
  int64_t offset = 0, bytes = 0;       // of the frame
  size_t release_after = 0;            // index of the operation of `region` after which it is free
  const ir::Region* loop = nullptr;    // of a carry's home: the body in which it is read,
  size_t busy_until = 0;               // until this operation of it
};

struct Val {
  enum class Kind { None, Scalar, Buffer, Virtual };
  Kind kind = Kind::None;
  llvm::Value* scalar = nullptr;  // T, or <8 x T>
  llvm::Value* ptr = nullptr;
  llvm::SmallVector<llvm::Value*, 4> dims;  // i64, of Buffer and Virtual
  bool interleaved = false;                 // eight lanes per element, adjacent
  bool owner = false;                       // not a view: may be updated in place when it dies
  Storage* storage = nullptr;
};

// Where an array is written: element (i, j, ...) at ptr + sum of index times stride.
struct Dest {
  llvm::Value* ptr = nullptr;
  llvm::SmallVector<llvm::Value*, 4> dims;
  llvm::SmallVector<llvm::Value*, 4> strides;  // in elements
  ir::Elem elem = ir::Elem::F64;
  bool interleaved = false;
  bool contiguous = true;
};

}  // namespace dini::codegen
