// Maps in lanes: eight members at a time (more where one waits for its own results: chooseWidth),
// each scalar of the body a vector, each small array eight arrays interleaved. Control flow runs
// while any lane needs it: a branch is taken for the lanes that want it, a loop goes on until all
// are done, with a mask of the lanes that are really there; what leaves a masked region passes a
// select or a masked store. A failing check takes its lane out (the `live` mask); at their end the
// lowest lane that failed ends the call.
#include "dini/lanes.h"
#include "codegen/emitter.h"
#include "dini/status.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;
using ir::Region;

namespace {
constexpr int kTooMuch = 60;
}

llvm::Value* FunctionEmitter::activeMask() {
  return b_.CreateAnd(lanes_.mask, b_.CreateLoad(lanesOf(m_.i1), lanes_.live));
}

void FunctionEmitter::underMask(llvm::Value* mask, const std::function<void()>& body) {
  llvm::Value* outer = lanes_.mask;
  lanes_.mask = mask;
  body();
  lanes_.mask = outer;
}

// Of each lane, whether it lives, and how it failed.
void FunctionEmitter::openCells(LaneState& state) {
  const auto cell = [&](llvm::Type* type, const char* name) {
    llvm::Type* lanes = llvm::FixedVectorType::get(type, static_cast<unsigned>(state.width));
    return llvm::cast<llvm::AllocaInst>(entryAlloca(lanes, nullptr, name));
  };
  state.live = cell(m_.i1, "live");
  state.status = cell(m_.i64, "status");
  state.site = cell(m_.i64, "site");
  state.batch = cell(m_.i64, "batch");
  state.iterations = cell(m_.i64, "iterations");
  state.reason = cell(m_.i64, "reason");
  state.residual = cell(m_.f64, "residual");
  state.scale = cell(m_.f64, "scale");
  state.rcond = cell(m_.f64, "rcond");
  state.tolerance = cell(m_.f64, "tolerance");
}

void FunctionEmitter::emitLaneMap(const Op& loop) {
  const Region& body = *loop.regions[0];
  llvm::Value* trip =
      b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, scalar(loop.operand(0)), i64c(0));
  std::vector<Buffer> outs;
  for (size_t k = 0; k < body.yields().size(); ++k) {
    Values dims{trip};
    for (int64_t dim : body.yields()[k]->type.dims) dims.push_back(i64c(dim));
    outs.push_back(allocate(loop.results[k], dims));
  }
  LaneState state;
  state.width = chooseWidth(loop);
  openCells(state);
  llvm::Value* outer_batch = batch_index_;
  llvm::Value* mark = stackTop();  // what a group of members allocates ends with it
  countedLoop(i64c(0), trip, state.width, [&](llvm::Value* first) {
    pollCancel(loop);
    state.mask = b_.getTrue();
    lanes_ = state;
    llvm::Value* members = b_.CreateAdd(splat(first), laneNumbers());
    const auto constant = constantOf(trip);
    llvm::Value* everyone = llvm::ConstantInt::getTrue(lanesOf(m_.i1));
    llvm::Value* chunk =
        constant && *constant % width() == 0 ? everyone : b_.CreateICmpSLT(members, splat(trip));
    lanes_.mask = chunk;
    b_.CreateStore(everyone, state.live);
    affine_.clear();
    affine_[members] = {first, 1, nullptr};
    batch_index_ = members;
    setScalar(body.args[0], members);
    emitOps(body);
    for (size_t k = 0; k < outs.size(); ++k) {
      fresh();
      const ir::Value* yielded = body.yields()[k];
      const Index member{first, 1, nullptr};
      if (yielded->type.isScalar()) {
        store(outs[k].dest, positionOf({member}), splat(scalar(yielded)));
        continue;
      }
      scalarNest(dimsOf(yielded), [&](llvm::ArrayRef<Index> at) {
        llvm::SmallVector<Index, 4> place{member};
        place.append(at.begin(), at.end());
        llvm::Value* value = element(yielded, positionOf(at));
        store(outs[k].dest, positionOf(place), splat(value));
      });
    }
    closeRegion(body);
    reportLaneFailure(chunk);
    setStackTop(mark);
    lanes_ = {};
    affine_.clear();
  });
  batch_index_ = outer_batch;
  varying_.clear();
  for (size_t k = 0; k < outs.size(); ++k)
    setBuffer(loop.results[k], outs[k].dest, outs[k].storage);
}

void FunctionEmitter::failLanes(llvm::Value* failed, llvm::Value* status, int64_t site,
                                const FailureFields& fields) {
  failed = b_.CreateAnd(failed, activeMask());
  ifThen(any(failed), [&] {
    llvm::Value* live = b_.CreateLoad(lanesOf(m_.i1), lanes_.live);
    b_.CreateStore(b_.CreateAnd(live, b_.CreateNot(failed)), lanes_.live);
    // Masked stores keep these in memory: failures are rare, registers are few.
    const auto put = [&](llvm::AllocaInst* cell, llvm::Value* value) {
      b_.CreateMaskedStore(splat(value), cell, cell->getAlign(), failed);
    };
    put(lanes_.status, status);
    put(lanes_.site, i64c(site));
    put(lanes_.batch, batchIndex());
    put(lanes_.iterations, fields.iterations ? fields.iterations : i64c(0));
    put(lanes_.reason, fields.reason ? fields.reason : i64c(0));
    put(lanes_.residual, fields.residual ? fields.residual : f64c(0));
    put(lanes_.scale, fields.scale ? fields.scale : f64c(0));
    put(lanes_.rcond, fields.rcond ? fields.rcond : f64c(-1));
    put(lanes_.tolerance, fields.tolerance ? fields.tolerance : f64c(0));
  });
}

void FunctionEmitter::storeLaneFailure(llvm::Value* number, llvm::Value* batch) {
  const LaneState state = lanes_;
  const auto of = [&](llvm::AllocaInst* cell) {
    return b_.CreateExtractElement(b_.CreateLoad(cell->getAllocatedType(), cell), number);
  };
  lanes_ = {};
  storeFailure(of(state.status), of(state.site), batch != nullptr ? batch : of(state.batch),
               {of(state.residual), of(state.scale), of(state.iterations), of(state.rcond),
                of(state.reason), of(state.tolerance)});
  lanes_ = state;
}

void FunctionEmitter::reportLaneFailure(llvm::Value* chunk) {
  llvm::Value* dead = b_.CreateNot(b_.CreateLoad(lanesOf(m_.i1), lanes_.live));
  llvm::Value* failed = b_.CreateAnd(chunk, dead);
  auto* report = newBlock("report");
  auto* fine = newBlock("all_fine");
  b_.CreateCondBr(any(failed), report, fine);
  b_.SetInsertPoint(report);
  llvm::Type* bits = b_.getIntNTy(vectorSize());
  llvm::Value* first = b_.CreateIntrinsic(llvm::Intrinsic::cttz, {bits},
                                          {b_.CreateBitCast(failed, bits), b_.getTrue()});
  storeLaneFailure(first, nullptr);
  b_.CreateBr(failure_);
  b_.SetInsertPoint(fine);
}

// Runs a region for the lanes of `mask` if there are any; the yielded scalars, zeros otherwise.
FunctionEmitter::Values FunctionEmitter::runMasked(const Region& region, llvm::Value* mask,
                                                   std::vector<Slot>& slots) {
  auto* run = newBlock("some");
  auto* after = newBlock("rest");
  llvm::Value* live = b_.CreateLoad(lanesOf(m_.i1), lanes_.live);
  auto* before = b_.GetInsertBlock();
  b_.CreateCondBr(any(b_.CreateAnd(mask, live)), run, after);
  b_.SetInsertPoint(run);
  fresh();
  for (Slot& slot : slots) slot.incoming.clear();
  underMask(mask, [&] {
    emitOps(region);
    giveResults(slots, region, stackTop());
    closeRegion(region);
  });
  for (Slot& slot : slots)
    for (llvm::Value*& value : slot.incoming) value = splat(value);
  auto* end = b_.GetInsertBlock();
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
  fresh();
  Values scalars;
  for (Slot& slot : slots)
    if (slot.value->type.isScalar()) {
      llvm::Type* type = slot.incoming[0]->getType();
      scalars.push_back(
          phi(type, {slot.incoming[0], llvm::Constant::getNullValue(type)}, {end, before}));
    }
  return scalars;
}

void FunctionEmitter::bindSelected(std::vector<Slot>& slots, llvm::Value* condition,
                                   const Values& yes, const Values& no) {
  size_t next = 0;
  for (Slot& slot : slots) {
    if (slot.value->type.isScalar()) {
      setScalar(slot.value, b_.CreateSelect(condition, yes[next], no[next]));
      ++next;
    } else {
      setBuffer(slot.value, slot.buffer.dest, slot.buffer.storage);
    }
  }
}

// Cheap scalar arithmetic without effects: running it for all lanes costs less than a branch.
int FunctionEmitter::speculationCost(const Region& region) {
  int total = 0;
  for (const auto& op : region.ops) {
    if (op->code == OpCode::Yield) continue;
    for (const ir::Value* result : op->results)
      if (!result->type.isScalar()) return kTooMuch;
    for (const ir::Value* operand : op->operands)
      if (!operand->type.isScalar()) return kTooMuch;
    if (op->code == OpCode::If)
      total += speculationCost(*op->regions[0]) + speculationCost(*op->regions[1]);
    else if (op->code == OpCode::Const || ir::isElementwise(op->code))
      total += costOf(*op);
    else
      return kTooMuch;
    if (total >= kTooMuch) return kTooMuch;
  }
  return total;
}

void FunctionEmitter::emitLaneIf(const Op& op) {
  llvm::Value* condition = scalar(op.operand(0));
  if (speculationCost(*op.regions[0]) + speculationCost(*op.regions[1]) < kTooMuch) {
    Values sides[2];
    for (size_t side = 0; side < 2; ++side) {
      emitOps(*op.regions[side]);
      for (const ir::Value* yielded : op.regions[side]->yields())
        sides[side].push_back(splat(scalar(yielded)));
      closeRegion(*op.regions[side]);
    }
    for (size_t k = 0; k < op.results.size(); ++k)
      setScalar(op.results[k], b_.CreateSelect(condition, sides[0][k], sides[1][k]));
    return;
  }
  std::vector<Slot> slots = reserveResults(op);
  const Values yes = runMasked(*op.regions[0], b_.CreateAnd(lanes_.mask, condition), slots);
  const Values no =
      runMasked(*op.regions[1], b_.CreateAnd(lanes_.mask, b_.CreateNot(condition)), slots);
  bindSelected(slots, condition, yes, no);
}

void FunctionEmitter::emitLaneTry(const Op& op) {
  std::vector<Slot> slots = reserveResults(op);
  llvm::Value* live = b_.CreateLoad(lanesOf(m_.i1), lanes_.live);
  const Values first = runMasked(*op.regions[0], lanes_.mask, slots);
  llvm::Value* failed =
      b_.CreateAnd(live, b_.CreateNot(b_.CreateLoad(lanesOf(m_.i1), lanes_.live)));
  b_.CreateStore(live, lanes_.live);
  const Values second = runMasked(*op.regions[1], b_.CreateAnd(lanes_.mask, failed), slots);
  bindSelected(slots, failed, second, first);
}

void FunctionEmitter::emitLaneWhile(const Op& op) {
  const Region& condition = *op.regions[0];
  const Region& body = *op.regions[1];
  const size_t carries = op.operands.size();
  if (!varies(condition.yields()[0])) return emitWhile(op);
  LoopState state;
  openCarries(state, op, 0);
  openHeader(state);
  auto* before = state.header->getSinglePredecessor();
  llvm::Value* outer = lanes_.mask;
  llvm::PHINode* going = llvm::PHINode::Create(lanesOf(m_.i1), 2, "going", state.header->begin());
  llvm::PHINode* trips = llvm::PHINode::Create(lanesOf(m_.i64), 2, "trips", state.header->begin());
  going->addIncoming(outer, before);
  trips->addIncoming(splat(i64c(0)), before);
  pollCancel(op);
  lanes_.mask = going;
  bindCarries(state, condition, 0, false);
  emitOps(condition);
  llvm::Value* wanted = splat(scalar(condition.yields()[0]));
  closeRegion(condition);
  llvm::Value* active = b_.CreateAnd(activeMask(), wanted);
  auto* inside = newBlock("body");
  b_.CreateCondBr(any(active), inside, state.after);
  b_.SetInsertPoint(inside);
  fresh();
  lanes_.mask = active;
  if (op.attrs.i > 0)
    require(b_.CreateICmpSLT(trips, splat(i64c(op.attrs.i))), ir::Status::Bound, op);
  bindCarries(state, body, 0, true);
  emitOps(body);
  llvm::Value* following = b_.CreateSelect(active, b_.CreateAdd(trips, splat(i64c(1))), trips);
  llvm::Value* next_going = activeMask();
  advance(state, body, nullptr);
  going->addIncoming(next_going, b_.GetInsertBlock());
  trips->addIncoming(following, b_.GetInsertBlock());
  closeRegion(body);
  lanes_.mask = outer;
  finishLoop(state, trips, op.attrs.i > 0 ? i64c(op.attrs.i) : trips);
  setScalar(op.results[carries], trips);
}

// --- solves

llvm::Value* FunctionEmitter::maskBits() {
  return b_.CreateZExt(b_.CreateBitCast(activeMask(), m_.i8), m_.i32);
}

void FunctionEmitter::emitLaneSolve(const Op& op) {
  const bool transposed = !op.attrs.ints.empty() && op.attrs.ints[0] == 1;
  const int64_t n = op.operand(0)->type.dims[0];
  const ir::Value* b = op.operands.back();
  const int64_t m = op.code == OpCode::Factor ? 0 : b->type.rank() > 1 ? b->type.dims[1] : 1;
  llvm::Value* work = temporaryDoubles(i64c(dini_lanes_work(n, m)));
  llvm::Type* none = llvm::Type::getVoidTy(m_.context);
  Values inputs;
  for (const ir::Value* operand : op.operands) inputs.push_back(inMemory(operand, true).ptr);
  std::vector<Buffer> outs;
  const size_t arrays = op.code == OpCode::Factor ? 2 : 1;
  for (size_t k = 0; k < arrays; ++k) {
    Values dims;
    for (int64_t dim : op.results[k]->type.dims) dims.push_back(i64c(dim));
    outs.push_back(allocate(op.results[k], dims));
  }
  llvm::Type *reals = lanesOf(m_.f64), *integers = lanesOf(m_.i64);
  llvm::Value* rcond = entryAlloca(reals, nullptr, "rcond");
  llvm::Value* status = entryAlloca(integers, nullptr, "solve_status");
  b_.CreateStore(llvm::ConstantFP::get(reals, -1), rcond);
  b_.CreateStore(llvm::Constant::getNullValue(integers), status);
  llvm::Value* structure = i64c(op.attrs.i);
  llvm::Value* flag = b_.getInt32(transposed);
  if (op.code == OpCode::LinearSolve) {
    const auto function = m_.runtime(
        "dini_lanes_linear_solve", none,
        {m_.i64, m_.i32, m_.i64, m_.i64, m_.ptr, m_.ptr, m_.ptr, m_.ptr, m_.ptr, m_.i32, m_.ptr});
    b_.CreateCall(function, {structure, flag, i64c(n), i64c(m), inputs[0], inputs[1],
                             outs[0].dest.ptr, rcond, status, maskBits(), work});
  } else if (op.code == OpCode::Factor) {
    const auto function =
        m_.runtime("dini_lanes_factor", none,
                   {m_.i64, m_.i64, m_.ptr, m_.ptr, m_.ptr, m_.ptr, m_.ptr, m_.i32, m_.ptr});
    b_.CreateCall(function, {structure, i64c(n), inputs[0], outs[0].dest.ptr, outs[1].dest.ptr,
                             rcond, status, maskBits(), work});
  } else {
    const auto function = m_.runtime(
        "dini_lanes_solve_factored", none,
        {m_.i64, m_.i32, m_.i64, m_.i64, m_.ptr, m_.ptr, m_.ptr, m_.ptr, m_.i32, m_.ptr});
    b_.CreateCall(function, {structure, flag, i64c(n), i64c(m), inputs[0], inputs[1], inputs[2],
                             outs[0].dest.ptr, maskBits(), work});
  }
  llvm::Value* estimate = b_.CreateLoad(reals, rcond);
  if (op.code != OpCode::SolveFactored) {
    llvm::Value* codes = b_.CreateLoad(integers, status);
    FailureFields fields;
    fields.rcond = estimate;
    require(b_.CreateICmpEQ(codes, llvm::Constant::getNullValue(integers)), codes, siteOf(op),
            fields);
    noteCondition(estimate, siteOf(op));
  }
  for (size_t k = 0; k < arrays; ++k) setBuffer(op.results[k], outs[k].dest, outs[k].storage);
  if (op.code == OpCode::Factor) setScalar(op.results[2], estimate);
}

llvm::Value* FunctionEmitter::laneNorm(const ir::Value* x) {
  const Val held = inMemory(x, true);
  const int64_t count = x->type.elementCount();
  llvm::Value* out = entryAlloca(lanesOf(m_.f64), nullptr, "norms");
  b_.CreateStore(llvm::Constant::getNullValue(lanesOf(m_.f64)), out);
  const auto function = m_.runtime("dini_lanes_norm", llvm::Type::getVoidTy(m_.context),
                                   {m_.ptr, m_.i64, m_.ptr, m_.i32, m_.ptr});
  b_.CreateCall(function, {held.ptr, i64c(count), out, maskBits(), temporaryDoubles(i64c(count))});
  return b_.CreateLoad(lanesOf(m_.f64), out);
}

}  // namespace dini::codegen
