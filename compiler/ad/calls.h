// Derivatives of called functions, by name. A recursive function is not inlined; its derivatives are
// functions of the module named after it, made when a transform is finished:
//   f.jvp.KEY  (params..., tangents of the active) -> (results..., tangents of the real results)
//   f.tan.KEY  the same, tangents only
//   f.pull.KEY (params..., cotangents of the real results) -> cotangents of the active params
//   f.probe.KEY (params..., probe tangents of the active) -> (results..., probe tangents), a stage of
//              probe.h. The call's attrs.ints: how many operands and results are f's own.
// KEY spells the activity mask and the tie options. tan and pull recompute the primal part.
#pragma once

#include <string>

#include "ad/ad.h"
#include "ad/probe.h"
#include "ir/builder.h"

namespace dini::ad::calls {

std::string tangentName(const std::string& callee, const Request& request);
std::string probeName(const std::string& callee, const Request& request, ProbeStage stage);
// Of a call of f.jvp.KEY, respectively of f.tan.KEY.
std::string linearName(const std::string& tangent_name);
std::string pullName(const std::string& linear_name);

std::vector<ir::Value*> emitCall(ir::Builder& b, const std::string& callee,
                                 std::vector<ir::Value*> operands, std::vector<ir::Type> results);
// The callee without derivative parts: f of f.jvp.KEY.
std::string primalName(const std::string& tangent_name);
// A copy of a function in the form that is differentiated: simplified, maps batched, nested roots
// joined, kinks unified.
std::unique_ptr<ir::Function> prepared(ir::Module& module, const ir::Function& f,
                                       const TieOptions& ties);
// Makes the derivative, or the inverse (inverses.h), of that name, and what it calls, where the module lacks it.
void ensure(ir::Module& module, const std::string& name);
// Makes the derivative functions that `function` (and what it calls) names and the module lacks.
void complete(ir::Module& module, const ir::Function& function);

}  // namespace dini::ad::calls
