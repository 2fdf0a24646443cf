// The memory between the two steps of a function (dini_tape in library.h): sizes of its parts, the
// header that tells whose tape it is, and where each slot lies.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dini/library.h"

namespace dini_runtime {

constexpr int64_t kHuge = int64_t{1} << 60;  // sizes saturate here: no memory has it

// The value of the polynomial at `*code`, which is moved behind it; saturates.
int64_t evaluate(const int64_t*& code, const int64_t* sizes);

// Bytes of a slot in the tape, up to the next multiple of eight; `dims` are its dimensions that are
// not constant.
int64_t slotBytes(const dini_slot& slot, const int64_t* dims);
// Of a tape with the largest dimensions that these sizes allow.
size_t tapeBytes(const dini_tape& table, const int64_t* sizes);

class Tape {
 public:
  enum class Access { None, Write, Read };
  Tape() = default;
  Tape(const dini_tape& table, Access how, char* bytes, size_t capacity)
      : access(how), table_(&table), bytes_(bytes), capacity_(capacity) {}

  // A status: whether it can be written, or is one of this function that was written completely.
  int64_t open(const int64_t* sizes, int64_t cpu_level, size_t* needed) const;
  // Read: its dimensions, and the places of its slots.
  void readDims(int64_t* dims) const;
  void addresses(const void** slots) const;
  // Write: slots of constant size lie here one after the other; then the others are copied from
  // where the entry described them, and the tape is marked as complete.
  char* data() const;
  int64_t close(void* const* described, const int64_t* sizes, int64_t cpu_level,
                size_t* needed) const;

  Access access = Access::None;

 private:
  int64_t* words() const { return reinterpret_cast<int64_t*>(bytes_); }
  int64_t* dims() const;
  int64_t checksum() const;

  const dini_tape* table_ = nullptr;
  char* bytes_ = nullptr;
  size_t capacity_ = 0;  // reading: 0 where it is not known
};

inline Tape::Access accessOf(const dini_function& function) {
  return function.tape == nullptr   ? Tape::Access::None
         : function.reads_tape != 0 ? Tape::Access::Read
                                    : Tape::Access::Write;
}

}  // namespace dini_runtime
