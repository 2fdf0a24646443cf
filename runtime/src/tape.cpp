#include "tape.h"

#include <cstring>

namespace dini_runtime {
namespace {

enum Word : size_t { kHash, kCpu, kBytes, kChecksum, kSizes };

size_t headerBytes(const dini_tape& table) {
  return 8 * (kSizes + static_cast<size_t>(table.n_sizes + table.n_dims));
}

// Of the header and the slots of constant size.
size_t constantBytes(const dini_tape& table) {
  size_t bytes = headerBytes(table);
  for (int64_t k = 0; k < table.n_slots; ++k)
    if (table.slots[k].rank == 0) bytes += static_cast<size_t>(slotBytes(table.slots[k], nullptr));
  return bytes;
}

int64_t product(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) || result > kHuge ? kHuge : result;
}

int64_t rounded(int64_t bytes) { return bytes < kHuge ? (bytes + 7) / 8 * 8 : kHuge; }

}  // namespace

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

int64_t slotBytes(const dini_slot& slot, const int64_t* dims) {
  int64_t bytes = slot.element_bytes * slot.count;
  for (int64_t k = 0; k < slot.rank; ++k) bytes = product(bytes, dims[k] > 0 ? dims[k] : 0);
  return rounded(bytes);
}

size_t tapeBytes(const dini_tape& table, const int64_t* sizes) {
  auto total = static_cast<int64_t>(headerBytes(table));
  const int64_t* code = table.dims;
  for (int64_t k = 0; k < table.n_slots; ++k) {
    const dini_slot& slot = table.slots[k];
    int64_t bytes = slot.element_bytes * slot.count;
    for (int64_t axis = 0; axis < slot.rank; ++axis) {
      const int64_t dim = evaluate(code, sizes);
      bytes = product(bytes, dim > 0 ? dim : 0);
    }
    total += rounded(bytes);
    if (total > kHuge) total = kHuge;
  }
  return static_cast<size_t>(total);
}

int64_t* Tape::dims() const { return words() + kSizes + table_->n_sizes; }

char* Tape::data() const { return bytes_ + headerBytes(*table_); }

// Of the header but for this word (FNV-1a, word by word).
int64_t Tape::checksum() const {
  uint64_t sum = 14695981039346656037u;
  const auto end = static_cast<size_t>(dims() - words() + table_->n_dims);
  for (size_t k = 0; k < end; ++k)
    if (k != kChecksum) sum = (sum ^ static_cast<uint64_t>(words()[k])) * 1099511628211u;
  return static_cast<int64_t>(sum);
}

int64_t Tape::open(const int64_t* sizes, int64_t cpu_level, size_t* needed) const {
  if (access == Access::None) return DINI_OK;
  if (bytes_ == nullptr || reinterpret_cast<uintptr_t>(bytes_) % 8 != 0) return DINI_TAPE;
  if (access == Access::Write) {
    if (constantBytes(*table_) > capacity_) {
      *needed = tapeBytes(*table_, sizes);
      return DINI_MEMORY;
    }
    words()[kHash] = 0;  // until it is complete
    return DINI_OK;
  }
  if (capacity_ > 0 && capacity_ < headerBytes(*table_)) return DINI_TAPE;
  bool same = words()[kHash] == table_->hash && words()[kCpu] == cpu_level;
  for (int64_t k = 0; same && k < table_->n_sizes; ++k)
    same = words()[kSizes + static_cast<size_t>(k)] == sizes[k];
  same = same && words()[kChecksum] == checksum();
  same = same && (capacity_ == 0 || static_cast<size_t>(words()[kBytes]) <= capacity_);
  return same ? DINI_OK : DINI_TAPE;
}

void Tape::readDims(int64_t* to) const {
  for (int64_t k = 0; k < table_->n_dims; ++k) to[k] = dims()[k];
}

void Tape::addresses(const void** slots) const {
  const char* at = data();
  for (int pass = 0; pass < 2; ++pass) {
    const int64_t* own = dims();
    for (int64_t k = 0; k < table_->n_slots; ++k) {
      const dini_slot& slot = table_->slots[k];
      if ((slot.rank == 0) == (pass == 0)) {
        slots[k] = at;
        at += slotBytes(slot, own);
      }
      own += slot.rank;
    }
  }
}

int64_t Tape::close(void* const* described, const int64_t* sizes, int64_t cpu_level,
                    size_t* needed) const {
  int64_t* own = dims();
  size_t used = constantBytes(*table_);
  for (int64_t k = 0; k < table_->n_slots; ++k) {
    const dini_slot& slot = table_->slots[k];
    if (slot.rank == 0) continue;
    const auto* descriptor = static_cast<const int64_t*>(described[k]);
    for (int64_t axis = 0; axis < slot.rank; ++axis) own[axis] = descriptor[1 + axis];
    const auto bytes = static_cast<size_t>(slotBytes(slot, own));
    if (used + bytes <= capacity_) {
      int64_t count = slot.element_bytes * slot.count;
      for (int64_t axis = 0; axis < slot.rank; ++axis) count *= own[axis];
      std::memcpy(bytes_ + used, reinterpret_cast<const void*>(descriptor[0]),
                  static_cast<size_t>(count));
    }
    own += slot.rank;
    used += bytes;
  }
  if (used > capacity_) {
    *needed = used;
    return DINI_MEMORY;
  }
  words()[kCpu] = cpu_level;
  words()[kBytes] = static_cast<int64_t>(used);
  for (int64_t k = 0; k < table_->n_sizes; ++k) words()[kSizes + static_cast<size_t>(k)] = sizes[k];
  words()[kHash] = table_->hash;
  words()[kChecksum] = checksum();
  return DINI_OK;
}

}  // namespace dini_runtime
