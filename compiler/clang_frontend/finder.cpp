#include "clang_frontend/finder.h"
#include "clang_frontend/source_arrays.h"

#include <algorithm>

#include <clang/AST/RecursiveASTVisitor.h>
#include <clang/Sema/Sema.h>
#include <fmt/format.h>

namespace dini::clang_frontend {
namespace {

class Finder : public clang::RecursiveASTVisitor<Finder> {
 public:
  Finder(const clang::SourceManager& sources, Reporter& reporter, const std::vector<std::string>& named)
      : sources_(sources), reporter_(reporter), named_(named) {}
  std::vector<const clang::FunctionDecl*> functions;
  std::vector<clang::FunctionTemplateDecl*> templates;

  bool shouldVisitTemplateInstantiations() const { return true; }
  bool VisitFunctionTemplateDecl(clang::FunctionTemplateDecl* made) {
    if (wanted(*made->getTemplatedDecl()) && made->isThisDeclarationADefinition()) templates.push_back(made);
    return true;
  }
  bool VisitFunctionDecl(clang::FunctionDecl* function) {
    if (!function->isThisDeclarationADefinition() || function->isDependentContext() || !onDouble(*function) || !wanted(*function)) return true;
    if (std::find(functions.begin(), functions.end(), function) == functions.end()) functions.push_back(function);
    return true;
  }

  // Of an instance of a template: on double, and on whatever numbers.
  static bool onDouble(const clang::FunctionDecl& function) {
    const clang::TemplateArgumentList* arguments = function.getTemplateSpecializationArgs();
    return !arguments || std::all_of(arguments->asArray().begin(), arguments->asArray().end(), [](const clang::TemplateArgument& argument) {
      return argument.getKind() != clang::TemplateArgument::Type || argument.getAsType()->isSpecificBuiltinType(clang::BuiltinType::Double);
    });
  }

 private:
  bool wanted(const clang::FunctionDecl& function) {
    if (sources_.isInSystemHeader(function.getLocation()) || !sourceFunction(function).empty()) return false;
    const bool named = function.getIdentifier() && std::find(named_.begin(), named_.end(), function.getName()) != named_.end();
    return named || annotationOf(function, reporter_).present;
  }

  const clang::SourceManager& sources_;
  Reporter& reporter_;
  const std::vector<std::string>& named_;
};

bool instantiated(clang::FunctionTemplateDecl& made) {
  return std::any_of(made.spec_begin(), made.spec_end(), [](const clang::FunctionDecl* one) { return one->isDefined() && Finder::onDouble(*one); });
}

void instantiate(clang::FunctionTemplateDecl& made, clang::CompilerInstance& compiler, Reporter& reporter) {
  std::vector<clang::TemplateArgument> arguments;
  for (const clang::NamedDecl* parameter : *made.getTemplateParameters()) {
    if (!llvm::isa<clang::TemplateTypeParmDecl>(parameter) || parameter->isParameterPack()) break;
    arguments.emplace_back(compiler.getASTContext().DoubleTy);
  }
  clang::Sema& sema = compiler.getSema();
  clang::FunctionDecl* function = nullptr;
  if (arguments.size() == made.getTemplateParameters()->size())
    function = sema.InstantiateFunctionDeclaration(&made, clang::TemplateArgumentList::CreateCopy(compiler.getASTContext(), arguments), made.getLocation());
  if (function) sema.InstantiateFunctionDefinition(made.getLocation(), function, true, true);
  if (!function || !function->isDefined())
    reporter.add(DiagCode::CppAnnotation, reporter.place(made), fmt::format("the template `{}` has no instance on double", made.getName().str()),
                 "add one, as `template double f<double>(double);`");
}

}  // namespace

std::vector<const clang::FunctionDecl*> importedFunctions(clang::CompilerInstance& compiler, Reporter& reporter,
                                                          const std::vector<std::string>& named) {
  clang::ASTContext& context = compiler.getASTContext();
  Finder templates(context.getSourceManager(), reporter, named);
  templates.TraverseDecl(context.getTranslationUnitDecl());
  for (clang::FunctionTemplateDecl* made : templates.templates)
    if (!instantiated(*made)) instantiate(*made, compiler, reporter);
  compiler.getSema().PerformPendingInstantiations();
  Finder finder(context.getSourceManager(), reporter, named);
  finder.TraverseDecl(context.getTranslationUnitDecl());
  return std::move(finder.functions);
}

}  // namespace dini::clang_frontend
