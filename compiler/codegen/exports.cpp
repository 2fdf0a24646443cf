#include "codegen/exports.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Verifier.h>

#include "base/check.h"
#include "dini/library.h"
#include "ir/text.h"

namespace dini::codegen {
namespace {

using Constants = std::vector<llvm::Constant*>;

static_assert(sizeof(dini_site) == 40 && sizeof(dini_variant) == 48 &&
              sizeof(dini_function) == 104 && sizeof(dini_slot) == 24 && sizeof(dini_tape) == 48);

class ExportEmitter {
 public:
  ExportEmitter(llvm::LLVMContext& context, const Export& exported, const Target& target)
      : context_(context), exported_(exported), out_(new llvm::Module(exported.symbol, context)) {
    out_->setTargetTriple(target.triple);
    out_->setDataLayout(target.data_layout);
    i64_ = llvm::Type::getInt64Ty(context);
    ptr_ = llvm::PointerType::getUnqual(context);
  }

  std::unique_ptr<llvm::Module> run() {
    llvm::Constant* table = function(exported_);
    auto* i32 = llvm::Type::getInt32Ty(context_);
    switch (exported_.step) {
      case Export::Step::Whole:
        forward(exported_.symbol, "dini_library_call", i32, {ptr_, ptr_, ptr_, ptr_, ptr_}, table);
        break;
      case Export::Step::Forward:
        forward(exported_.symbol, "dini_library_forward", i32,
                {ptr_, ptr_, ptr_, ptr_, ptr_, ptr_}, table);
        forward(exported_.tape_symbol, "dini_library_tape", i64_, {ptr_}, table);
        break;
      case Export::Step::Linear:
        forward(exported_.symbol, "dini_library_linear", i32,
                {ptr_, ptr_, ptr_, ptr_, ptr_, ptr_}, table);
        break;
    }
    forward(exported_.symbol + "_work_bytes", "dini_library_work", i64_, {ptr_}, table);
    check(!llvm::verifyModule(*out_), "ill-formed LLVM of an exported function");
    return std::move(out_);
  }

 private:
  llvm::Constant* number(int64_t value) {
    return llvm::ConstantInt::get(i64_, static_cast<uint64_t>(value), true);
  }

  llvm::Constant* global(llvm::Constant* value) {
    auto* made = new llvm::GlobalVariable(*out_, value->getType(), true,
                                          llvm::GlobalValue::PrivateLinkage, value, "table");
    made->setAlignment(llvm::Align(8));
    return made;
  }

  llvm::Constant* numbers(const std::vector<int64_t>& values) {
    const std::vector<uint64_t> bits(values.begin(), values.end());
    return global(llvm::ConstantDataArray::get(context_, llvm::ArrayRef<uint64_t>(bits)));
  }

  llvm::Constant* text(const std::string& value) {
    return global(llvm::ConstantDataArray::getString(context_, value));
  }

  llvm::Constant* record(Constants fields) { return llvm::ConstantStruct::getAnon(context_, fields); }

  llvm::Constant* array(const Constants& elements) {
    if (elements.empty()) return llvm::ConstantPointerNull::get(ptr_);
    auto* type = llvm::ArrayType::get(elements[0]->getType(), elements.size());
    return global(llvm::ConstantArray::get(type, elements));
  }

  static void encode(const types::Size& size, std::vector<int64_t>& code) {
    code.push_back(static_cast<int64_t>(size.terms().size()));
    for (const auto& [factors, coefficient] : size.terms()) {
      code.push_back(coefficient);
      code.push_back(static_cast<int64_t>(factors.size()));
      for (const types::SizeName factor : factors) code.push_back(factor.id);
    }
  }

  llvm::Constant* polynomials(const std::vector<types::Size>& sizes) {
    std::vector<int64_t> code;
    for (const types::Size& size : sizes) encode(size, code);
    return numbers(code);
  }

  llvm::Constant* variant(const ExportVariant& one) {
    auto* entry = llvm::Function::Create(
        llvm::FunctionType::get(i64_, {ptr_, ptr_, ptr_, ptr_, ptr_}, false),
        llvm::GlobalValue::ExternalLinkage, one.symbol, out_.get());
    entry->setVisibility(llvm::GlobalValue::HiddenVisibility);
    Constants sites;
    for (const ExportSite& site : one.sites)
      sites.push_back(record({text(site.file), text(site.text), number(site.line),
                              number(site.column), number(site.kind)}));
    return record({entry, array(sites), polynomials(one.memory.pieces),
                   number(static_cast<int64_t>(one.memory.pieces.size())), number(one.memory.frame),
                   number(one.cpu_level)});
  }

  llvm::Constant* tape(const ExportTape& one) {
    Constants slots;
    std::vector<int64_t> dims;
    int64_t count = 0;
    for (const ExportSlot& slot : one.slots) {
      slots.push_back(record({number(slot.element_bytes), number(slot.count),
                              number(static_cast<int64_t>(slot.dims.size()))}));
      for (const auto& dim : slot.dims) encode(dim.value_or(types::Size(0)), dims);
      count += static_cast<int64_t>(slot.dims.size());
    }
    return global(record({number(one.hash), number(one.exported_sizes),
                          number(static_cast<int64_t>(slots.size())), array(slots), number(count),
                          numbers(dims)}));
  }

  llvm::Constant* function(const Export& exported) {
    Constants variants;
    for (const ExportVariant& one : exported.variants) variants.push_back(variant(one));
    std::vector<int64_t> ranks, bytes, shapes;
    for (const ExportResult& result : exported.results) {
      types::Size count = 1;
      for (const types::Size& dim : result.dims) count = count * dim;
      const auto rank = std::count(result.dynamic.begin(), result.dynamic.end(), true);
      ranks.push_back(rank);
      bytes.push_back(result.element_bytes);
      if (rank == 0) continue;
      encode(count, shapes);
      for (size_t axis = 0; axis < result.dims.size(); ++axis)
        if (result.dynamic[axis]) encode(result.dims[axis], shapes);
    }
    llvm::Constant* probe = llvm::ConstantPointerNull::get(ptr_);
    if (exported.probe != nullptr) probe = function(*exported.probe);
    llvm::Constant* between = llvm::ConstantPointerNull::get(ptr_);
    if (exported.tape != nullptr) between = tape(*exported.tape);
    const size_t read = exported.step == Export::Step::Linear ? exported.tape->slots.size() : 0;
    return global(record({array(variants), number(static_cast<int64_t>(variants.size())),
                          number(static_cast<int64_t>(exported.inputs.size() + read)),
                          numbers(exported.inputs),
                          number(static_cast<int64_t>(exported.sizes.size())),
                          polynomials(exported.sizes),
                          number(static_cast<int64_t>(exported.results.size())), numbers(ranks),
                          numbers(shapes), numbers(bytes), probe, between,
                          number(exported.step == Export::Step::Linear ? 1 : 0)}));
  }

  // symbol(arguments...) = callee(table, arguments...)
  void forward(const std::string& symbol, const char* callee, llvm::Type* result,
               std::vector<llvm::Type*> parameters, llvm::Constant* table) {
    auto* made = llvm::Function::Create(llvm::FunctionType::get(result, parameters, false),
                                        llvm::GlobalValue::ExternalLinkage, symbol, out_.get());
    made->addFnAttr(llvm::Attribute::NoUnwind);
    parameters.insert(parameters.begin(), ptr_);
    auto target =
        out_->getOrInsertFunction(callee, llvm::FunctionType::get(result, parameters, false));
    llvm::IRBuilder<> b(llvm::BasicBlock::Create(context_, "entry", made));
    std::vector<llvm::Value*> arguments{table};
    for (llvm::Argument& argument : made->args()) arguments.push_back(&argument);
    b.CreateRet(b.CreateCall(target, arguments));
  }

  llvm::LLVMContext& context_;
  const Export& exported_;
  std::unique_ptr<llvm::Module> out_;
  llvm::Type* i64_;
  llvm::PointerType* ptr_;
};

}  // namespace

int64_t siteKind(const Site& site) {
  if (site.code == ir::OpCode::Root) return DINI_SITE_ROOT;
  const bool notice = site.code == ir::OpCode::Print && ir::parseFailureNotice(site.text);
  return notice ? DINI_SITE_NOTICE : DINI_SITE_OTHER;
}

void nameEntry(Unit& unit, const std::string& symbol) {
  llvm::Function* entry = unit.module->getFunction(unit.entry);
  check(entry != nullptr, "a unit without its entry");
  entry->setName(symbol);
  entry->setVisibility(llvm::GlobalValue::HiddenVisibility);
  unit.entry = symbol;
}

std::unique_ptr<llvm::Module> emitExport(llvm::LLVMContext& context, const Export& exported,
                                         const Target& target) {
  return ExportEmitter(context, exported, target).run();
}

}  // namespace dini::codegen
