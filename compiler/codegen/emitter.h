// Emits one IR function. The parts, one file each:
//   function.cpp     prologue, regions in order, dispatch, results
//   buffers.cpp      memory: frame, dynamic, copies, views
//   positions.cpp    arithmetic on positions, loads and stores of one or eight elements
//   elements.cpp     elements of virtual arrays
//   elementwise.cpp  scalar operations, on one value or eight lanes;  vector_math.cpp: libmvec
//   nests.cpp        loops over index spaces;  reduce.cpp, einsum.cpp
//   updates.cpp      update, add_at, ... in place where the operand dies
//   control.cpp      if, loop, while, try, call;  checks.cpp: statuses
//   notes.cpp        ties and conditions noted for the caller
//   lanes.cpp        maps of which eight iterations run in lanes, with masks
//   solve.cpp, root.cpp, sorting.cpp
// Invariants: values are immutable, memory is written only while its value is made or after its
// last reader; control flow is structured, so that a value dominates all regions that may read it.
// Longer than usual: one class, whose parts are implemented by the files of this folder.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include <llvm/IR/IRBuilder.h>

#include "codegen/frame.h"
#include "codegen/module.h"
#include "codegen/plan.h"
#include "codegen/value.h"

namespace dini::codegen {

// What a status carries; null: the default.
struct FailureFields {
  llvm::Value* residual = nullptr;
  llvm::Value* scale = nullptr;
  llvm::Value* iterations = nullptr;
  llvm::Value* rcond = nullptr;
  llvm::Value* reason = nullptr;
  llvm::Value* tolerance = nullptr;
};

class FunctionEmitter {
 public:
  FunctionEmitter(ModuleEmitter& module, const ir::Function& function, llvm::Function& out);
  void emit();

 private:
  using Values = llvm::SmallVector<llvm::Value*, 4>;
  using IndexFn = std::function<void(Index)>;
  using ElementFn = std::function<llvm::Value*(Index)>;

  // --- function.cpp
  void prologue();
  void emitResults(const ir::Region& body);
  void emitOps(const ir::Region& region);  // all but the Yield, releasing memory on the way
  void emitOp(const ir::Op& op);
  void emitArrayOp(const ir::Op& op);
  void closeRegion(const ir::Region& region);
  void finishDynamicResults(const std::vector<const ir::Value*>& values, llvm::Value* descriptors);
  llvm::Value* intParam(unsigned k) { return out_.getArg(k); }

  // --- constants and small helpers
  llvm::Value* i64c(int64_t value) {
    return llvm::ConstantInt::get(m_.i64, static_cast<uint64_t>(value), true);
  }
  llvm::Value* f64c(double value) { return llvm::ConstantFP::get(m_.f64, value); }
  llvm::Type* elemType(ir::Elem elem);    // in registers
  llvm::Type* memoryType(ir::Elem elem);  // in memory: i1 is a byte
  static int64_t elemBytes(ir::Elem elem) { return elem == ir::Elem::I1 ? 1 : 8; }
  // Lanes of a vector: those of the map being emitted, else eight.
  int64_t width() const { return inLanes() ? lanes_.width : kLanes; }
  unsigned vectorSize() const { return static_cast<unsigned>(width()); }
  llvm::Type* lanesOf(llvm::Type* type);
  static bool isLanes(llvm::Value* value) { return value->getType()->isVectorTy(); }
  llvm::Value* splat(llvm::Value* value);  // lanes stay lanes
  llvm::Value* laneNumbers();              // <0, 1, ...>
  llvm::Value* lane(llvm::Value* value, int k);
  llvm::Value* any(llvm::Value* mask);  // i1 of lanes of i1
  llvm::BasicBlock* newBlock(const char* name);
  llvm::Value* entryAlloca(llvm::Type* type, llvm::Value* count, const char* name);

  // --- values
  Val& val(const ir::Value* value);
  llvm::Value* scalar(const ir::Value* value);
  void setScalar(const ir::Value* value, llvm::Value* result);
  void setBuffer(const ir::Value* value, const Dest& dest, Storage* storage);
  void setVirtual(const ir::Value* value, Values dims);
  bool varies(const ir::Value* value) const { return varying_.contains(value); }
  Values dimsOf(const ir::Value* value);
  // Sizes of a result: constants, and trailing operands of `op` from `first` on for dynamic ones.
  Values resultDims(const ir::Op& op, size_t first);
  llvm::Value* product(llvm::ArrayRef<llvm::Value*> sizes, size_t from = 0);
  std::optional<int64_t> constantOf(llvm::Value* value) const;

  // --- buffers.cpp
  struct Buffer {
    Dest dest;
    Storage* storage;
  };
  // Memory for a value of the region being emitted (or of `region`), until its last use.
  Buffer allocate(const ir::Value* value, const Values& dims);
  Buffer allocateTemporary(ir::Elem elem, const Values& dims, bool interleaved);
  llvm::Value* temporaryDoubles(llvm::Value* count);  // until the end of the operation
  Storage* newStorage(Storage::Kind kind, int64_t bytes, size_t release_after);
  llvm::Value* frameAddress(int64_t offset);
  llvm::Value* allocateDynamic(llvm::Value* bytes);
  llvm::Value* stackTop();
  void setStackTop(llvm::Value* top);
  void needs(llvm::Value* bytes) { dynamic_bytes_.push_back(bytes); }  // for the bound below
  MemoryBound memoryBound();
  Dest destOf(const Val& buffer, ir::Elem elem);
  static Dest contiguousDest(FunctionEmitter& self, llvm::Value* ptr, Values dims, ir::Elem elem,
                             bool interleaved);
  Values rowMajorStrides(const Values& dims);
  // The value in contiguous memory: itself, or a copy that lives until the end of the operation.
  Val inMemory(const ir::Value* value, bool interleaved = false);
  void copyInto(const ir::Value* value, const Dest& dest);
  void extendStorage(const Val& held, const ir::Value* result);
  bool ownsForUpdate(const ir::Value* value, const ir::Op& op);
  void releaseAfter(const ir::Region& region, size_t index);
  void copyBytes(llvm::Value* to, llvm::Value* from, llvm::Value* bytes, bool overlap = false);
  llvm::Value* bytesOf(const ir::Type& type, const Values& dims, bool interleaved);

  // --- positions.cpp
  Position positionOf(llvm::ArrayRef<Index> at);
  Position linearPosition(Index at);
  Index fixed(llvm::Value* base) { return {base, 0, nullptr}; }
  Index addTo(Index index, llvm::Value* offset);
  Index sum(Index a, Index b);
  Index scaled(Index index, llvm::Value* factor);
  llvm::Value* asVector(Index index);
  llvm::Value* asValue(Index index);  // i64 or <8 x i64>
  Index fromValue(llvm::Value* value);
  Index linearised(const Position& position, llvm::ArrayRef<llvm::Value*> dims);
  Position delinearised(Index index, llvm::ArrayRef<llvm::Value*> dims);
  llvm::Value* accessMask();  // null: every lane
  llvm::Value* load(const Val& buffer, ir::Elem elem, const Position& position);
  Index inOwnLane(Index offset);
  llvm::Value* loadAt(llvm::Value* ptr, ir::Elem elem, Index offset, bool interleaved);
  void store(const Dest& dest, const Position& position, llvm::Value* value);
  void storeAt(llvm::Value* ptr, ir::Elem elem, Index offset, bool interleaved, llvm::Value* value);
  llvm::Value* fromMemory(llvm::Value* loaded, ir::Elem elem);
  llvm::Value* toMemory(llvm::Value* value, ir::Elem elem);

  // --- elements.cpp
  llvm::Value* element(const ir::Value* value, const Position& position);
  llvm::Value* virtualElement(const ir::Op& op, const Position& position);
  llvm::Value* outerElement(const ir::Op& op, const Position& position);
  bool linearReadable(const ir::Value* value, int depth = 0);
  llvm::Value* elementwise(const ir::Op& op,
                           llvm::ArrayRef<llvm::Value*> operands);  // elementwise.cpp
  llvm::Value* discrete(const ir::Op& op, llvm::ArrayRef<llvm::Value*> operands);
  llvm::Value* integerDivision(const ir::Op& op, llvm::Value* a, llvm::Value* b);
  llvm::Value* chooseValue(const ir::Op& op, llvm::ArrayRef<llvm::Value*> operands);
  llvm::Value* sigmoidLike(const ir::Op& op, llvm::Value* x);
  llvm::Value* hashValue(llvm::Value* key, llvm::Value* counter);
  llvm::Value* power(llvm::Value* base, int64_t exponent);
  llvm::Value* mathCall(const std::string& name,
                        llvm::ArrayRef<llvm::Value*> operands);  // vector_math.cpp
  llvm::Value* perLane(const std::string& name, llvm::ArrayRef<llvm::Value*> operands,
                       llvm::ArrayRef<llvm::Value*> leading);
  llvm::Value* intrinsic(llvm::Intrinsic::ID id, llvm::Value* x);

  // --- notes.cpp
  llvm::Value* tieSide(llvm::Value* s_dot, llvm::Value* magnitude);
  void noteTie(llvm::Value* condition);  // of one value or of lanes
  void reportTie(const ir::Op& op, llvm::ArrayRef<llvm::Value*> operands);
  void noteCondition(llvm::Value* rcond, int64_t site);
  void noteResidual(llvm::Value* residual);
  void flushNotes();           // what was noted so far, to the caller
  llvm::Value* presentLanes();  // of the mask in force; null: all
  void emitNotice(const ir::Op& op);  // of a solve that failed, from the handler of its status

  // --- nests.cpp
  void countedLoop(llvm::Value* from, llvm::Value* to, int64_t step,
                   const std::function<void(llvm::Value*)>& body);
  // Eight positions at a time where lanes are not in use otherwise; a masked tail.
  void vectorLoop(llvm::Value* count, const IndexFn& body);
  void nest(const Values& dims, size_t axis, llvm::SmallVector<Index, 4>& at,
            const std::function<void(llvm::ArrayRef<Index>)>& body);
  void materialise(const ir::Value* value, const Dest& dest);
  void materialiseOp(const ir::Op& op);  // allocates, fills, records
  void fresh() { memo_.clear(); }
  void ifThen(llvm::Value* condition, const std::function<void()>& body);

  Values carriedLoop(llvm::Value* from, llvm::Value* to, int64_t step, Values initial,
                     const std::function<Values(llvm::Value*, const Values&)>& body);
  void scalarNest(const Values& dims, const std::function<void(llvm::ArrayRef<Index>)>& body);
  int treeSize(const ir::Value* value, int limit);

  // --- reduce.cpp
  enum class Reduction { Sum, Max, Min, Any, All };
  void emitReduce(const ir::Op& op);
  void reduceInMemory(const ir::Op& op, Reduction how);
  // Eight lanes along the sequence that is reduced to one value.
  llvm::Value* reduceAlong(Reduction how, ir::Elem elem, llvm::Value* count, const ElementFn& at);
  // One result, or with `wide` eight at once: the lanes are results. `unroll`: the elements are
  // cheap enough to be written out eight times.
  llvm::Value* reduceAcross(Reduction how, ir::Elem elem, llvm::Value* count, bool wide,
                            bool unroll, const ElementFn& at);
  llvm::Value* pairwise(llvm::ArrayRef<llvm::Value*> partials);
  llvm::Value* sumAlong(llvm::Value* count, const ElementFn& at);
  // From a multiple of eight on, with what the lanes hold so far.
  llvm::Value* sumAlongFrom(llvm::Value* from, llvm::Value* partial_sums, llvm::Value* count,
                            const ElementFn& at);
  llvm::Value* sumAcross(llvm::Value* count, bool wide, bool unroll, const ElementFn& at);
  struct Extreme {
    llvm::Value* value;
    llvm::Value* index;
    llvm::Value* nan;
  };
  Extreme extremeAlong(bool maximum, llvm::Value* count, const ElementFn& at);
  Extreme extremeAcross(bool maximum, llvm::Value* count, bool wide, const ElementFn& at);
  llvm::Value* fold(Reduction how, ir::Elem elem, llvm::Value* count, bool along, bool wide,
                    const ElementFn& at);
  void emitArgExtreme(const ir::Op& op);
  void emitNorm(const ir::Op& op);
  // einsum.cpp
  void emitEinsum(const ir::Op& op);
  bool emitMatrixProducts(const ir::Op& op);
  // Of two matrices with sizes that are known when the program runs: into `result`, by `small` or as
  // a large product. False where it is no such product.
  bool emitMatrixProduct(const ir::Op& op, const Dest& result, const std::function<void()>& small);
  struct StridedView;
  StridedView stridedView(const ir::Value* value);
  struct ProductOperand;
  void packMember(const ir::Value* value, const std::string& letters,
                  const std::map<char, llvm::Value*>& at, llvm::Value* ptr);
  void emitProduct(llvm::ArrayRef<int64_t> numbers, llvm::Value* a, llvm::Value* b, llvm::Value* c);

  // --- updates.cpp
  void emitUpdate(const ir::Op& op);
  void emitUpdateSlice(const ir::Op& op);
  void emitPadding(const ir::Op& op);
  void emitScatterAdd(const ir::Op& op);
  // `sum`: a sum of about as many elements as a part has, computed in the same pass.
  void emitConcat(const ir::Op& op, const ir::Op* sum = nullptr);
  // The operation at `index` is a sum, and the next one writes an array in the same pass.
  bool isSumBesideWrite(const ir::Region& region, size_t index);
  void writeBesideSum(const ir::Value* value, const Dest& dest, const ir::Op& sum);
  void emitPack(const ir::Op& op);
  void emitIndex(const ir::Op& op);
  Dest targetOfUpdate(const ir::Op& op);
  void writeOrAdd(const Dest& dest, const Position& position, llvm::Value* value, bool add);
  Dest part(const Dest& dest, llvm::Value* offset, Values dims, Values strides, bool contiguous);

  // --- checks.cpp
  int64_t siteOf(const ir::Op& op, std::string text = "");
  // Continues where `ok` holds.
  void require(llvm::Value* ok, llvm::Value* status, int64_t site,
               const FailureFields& fields = {});
  void require(llvm::Value* ok, ir::Status status, const ir::Op& op,
               const FailureFields& fields = {});
  void storeFailure(llvm::Value* status, llvm::Value* site, llvm::Value* batch,
                    const FailureFields& fields);
  void storeInfo(unsigned field, llvm::Value* value);
  llvm::Value* infoField(unsigned field);
  llvm::Value* batchIndex();
  llvm::Value* member();  // the batch index, or that of the batch around the call
  void leave(ir::Status status, int64_t site = -1);  // ends the block, past every `try`
  void pollCancel(const ir::Op& op);
  void requireMemory(llvm::Value* end);
  void emitCheck(const ir::Op& op);
  void emitPrint(const ir::Op& op);

  // --- control.cpp
  void emitIf(const ir::Op& op);
  void emitTry(const ir::Op& op);
  void emitCall(const ir::Op& op);
  // Values that two control paths give: memory reserved before, phis for scalars.
  struct Slot {
    const ir::Value* value = nullptr;
    bool dynamic = false;
    Buffer buffer = {};
    Values incoming;            // scalars; addresses of dynamic arrays
    std::vector<Values> sizes;  // of dynamic arrays
  };
  std::vector<Slot> reserveResults(const ir::Op& op);
  void giveResults(std::vector<Slot>& slots, const ir::Region& region, llvm::Value* mark);
  void joinResults(std::vector<Slot>& slots, llvm::ArrayRef<llvm::BasicBlock*> from);
  llvm::PHINode* phi(llvm::Type* type, llvm::ArrayRef<llvm::Value*> values,
                     llvm::ArrayRef<llvm::BasicBlock*> from);
  // Packs arrays at `mark`, one after the other, and resets the stack behind them; addresses.
  Values compact(llvm::ArrayRef<const ir::Value*> values, llvm::Value* mark,
                 llvm::Value** after_first = nullptr, size_t first_group = 0);

  // --- loops.cpp
  struct Carry {
    const ir::Value* initial = nullptr;
    const ir::Value* result = nullptr;
    bool dynamic = false;
    Buffer home = {};              // of an array with constant sizes
    llvm::PHINode* phi = nullptr;  // of a scalar, of the address of a dynamic array
    std::vector<llvm::PHINode*> size_phis;
  };
  struct Out {
    const ir::Value* yielded = nullptr;
    const ir::Value* result = nullptr;
    bool taped = false;
    Buffer buffer = {};
    std::vector<llvm::PHINode*> size_phis;  // of a taped element with dynamic sizes
    Values sizes;                           // of the latest element
  };
  struct LoopState {
    std::vector<Carry> carries;
    std::vector<Out> outs;
    llvm::Value* mark = nullptr;  // start of the loop's dynamic memory
    llvm::PHINode* tape_top = nullptr;
    llvm::BasicBlock* header = nullptr;
    llvm::BasicBlock* after = nullptr;
    bool taped = false;
  };
  void emitLoop(const ir::Op& op);
  void emitWhile(const ir::Op& op);
  void openCarries(LoopState& state, const ir::Op& op, size_t first_operand);
  void openHeader(LoopState& state);
  void bindCarries(LoopState& state, const ir::Region& region, size_t first_argument, bool owned);
  void advance(LoopState& state, const ir::Region& body, llvm::Value* iteration);
  void advanceHomes(LoopState& state, const ir::Region& body);
  // `most`: a bound of the number of trips, or that number.
  void finishLoop(LoopState& state, llvm::Value* trips, llvm::Value* most);
  bool readsStorage(const ir::Value* value, const Storage* storage, bool in_order_is_fine);
  bool adoptable(const ir::Op& op, size_t operand);

  // --- lanes.cpp, variance.cpp
  bool canRunInLanes(const ir::Op& loop);
  void findVarying(const ir::Region& region);
  bool regionFitsLanes(const ir::Region& region);
  int64_t chooseWidth(const ir::Op& loop);
  void emitLaneMap(const ir::Op& loop);
  void emitLaneIf(const ir::Op& op);
  int speculationCost(const ir::Region& region);
  void emitLaneWhile(const ir::Op& op);
  void emitLaneTry(const ir::Op& op);
  void emitLaneSolve(const ir::Op& op);
  llvm::Value* laneNorm(const ir::Value* x);
  Values runMasked(const ir::Region& region, llvm::Value* mask, std::vector<Slot>& slots);
  void bindSelected(std::vector<Slot>& slots, llvm::Value* condition, const Values& yes,
                    const Values& no);
  // How a lane failed, into the run; `batch`: null for the member that failed.
  void storeLaneFailure(llvm::Value* number, llvm::Value* batch);
  void failLanes(llvm::Value* failed, llvm::Value* status, int64_t site,
                 const FailureFields& fields);
  void reportLaneFailure(llvm::Value* chunk);
  llvm::Value* activeMask();
  llvm::Value* maskBits();  // i32
  void underMask(llvm::Value* mask, const std::function<void()>& body);
  struct LaneState {
    int64_t width = kLanes;
    llvm::Value* mask = nullptr;       // lanes for which the code being emitted runs
    llvm::AllocaInst* live = nullptr;  // lanes without failure
    // Of each failed lane.
    llvm::AllocaInst *status = nullptr, *site = nullptr, *batch = nullptr, *iterations = nullptr;
    llvm::AllocaInst *reason = nullptr, *residual = nullptr, *scale = nullptr, *rcond = nullptr;
    llvm::AllocaInst* tolerance = nullptr;
  };
  void openCells(LaneState& state);
  bool inLanes() const { return lanes_.mask != nullptr; }

  // --- solve.cpp, root.cpp, sorting.cpp
  void emitSolve(const ir::Op& op);
  void emitScalarSystem(const ir::Op& op);
  void noteAffine(const ir::Op& op, llvm::Value* result, llvm::ArrayRef<llvm::Value*> operands);
  void emitLinearSolve(const ir::Op& op);
  void emitSparseSolve(const ir::Op& op);
  void emitFactor(const ir::Op& op);
  void emitSolveFactored(const ir::Op& op);
  void emitDecomposition(const ir::Op& op);
  void emitRootTies(const ir::Op& op);
  llvm::Value* workFor(const char* name, llvm::ArrayRef<llvm::Value*> sizes,
                       const std::function<int64_t(const std::vector<int64_t>&)>& known);
  void requireRuntime(llvm::Value* status, const ir::Op& op, llvm::Value* rcond);
  void emitSorting(const ir::Op& op);
  void emitVectorProjection(const ir::Op& op);
  void emitSpectral(const ir::Op& op);
  llvm::Value* decisionPointer(const ir::Op& op, size_t operand);
  void emitReducePick(const ir::Op& op);
  Buffer permuted(const ir::Value* value, const std::vector<size_t>& axes);
  struct Residual {
    llvm::Value* difference;
    llvm::Value* scale;
    llvm::Value* finite;
  };
  Residual emitResidual(const ir::Region& region);
  void emitRoot(const ir::Op& op);
  static bool solverVerifies(const ir::Op& op);
  void requireSolved(const ir::Op& op, FailureFields fields);
  void whereNeeded(llvm::Value* condition, const std::function<void()>& body);

  ModuleEmitter& m_;
  const ir::Function& function_;
  llvm::Function& out_;
  llvm::IRBuilder<> b_;
  Plan plan_;
  Frame frame_;
  std::unordered_map<const ir::Value*, Val> values_;
  std::vector<std::unique_ptr<Storage>> storages_;
  std::vector<const ir::Region*> regions_;  // being emitted, innermost last
  std::vector<size_t> indices_;             // of the operation being emitted in each
  std::map<std::pair<const ir::Value*, uint64_t>, llvm::Value*> memo_;
  std::unordered_set<const ir::Value*> varying_;
  std::unordered_map<const ir::Value*, Buffer>
      preferred_;  // homes of the carries that values become
  uint64_t next_position_ = 1;
  std::vector<llvm::Value*> dynamic_bytes_;  // of memory beyond the frame
  std::vector<std::pair<llvm::Value*, llvm::Value*>> limits_;  // of trip counts with @bound, of slices
  std::vector<Values> result_sizes_;                           // dynamic ones of each result
  std::vector<std::pair<size_t, llvm::Value*>> result_ints_;   // results that are one int
  std::vector<std::pair<const ir::Function*, Values>> calls_;  // with the dynamic sizes given

  llvm::BasicBlock* entry_ = nullptr;
  llvm::BasicBlock* exit_ = nullptr;     // returns info->status
  llvm::BasicBlock* failure_ = nullptr;  // of checks: exit_, or the handler of a `try`
  llvm::AllocaInst* top_ = nullptr;      // of the dynamic part of the workspace
  llvm::Value* info_ = nullptr;
  llvm::Value* work_ = nullptr;
  llvm::Value* cancel_ = nullptr;
  llvm::Instruction* frame_end_ = nullptr;
  llvm::Value* batch_index_ = nullptr;  // of the innermost map
  llvm::Value* tail_mask_ = nullptr;    // of the masked end of a vector loop
  std::map<llvm::Type*, llvm::AllocaInst*> tie_noted_;  // by i1 or a vector of it
  int solver_depth_ = 0;                    // solvers' iterations note nothing
  LaneState lanes_;
  std::unordered_map<llvm::Value*, Index> affine_;  // lanes known to be base + l * step
};

}  // namespace dini::codegen
