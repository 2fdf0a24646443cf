// Scoped changes of the emitter's state: where operations go, which activation names refer to,
// which source they come from.
#pragma once

#include "lower/emitter.h"

namespace dini::lower {

class Emitter::SpanScope {
 public:
  SpanScope(Emitter& emitter, Span span) : emitter_(emitter), saved_(emitter.span_) {
    if (emitter.prelude_depth_ == 0 && span.valid()) emitter.setSpan(span);
  }
  ~SpanScope() { emitter_.setSpan(saved_); }
  SpanScope(const SpanScope&) = delete;

 private:
  Emitter& emitter_;
  Span saved_;
};

class Emitter::BuilderScope {
 public:
  BuilderScope(Emitter& emitter, ir::Builder& builder)
      : emitter_(emitter), saved_(emitter.builder_) {
    emitter.builder_ = &builder;
    builder.setSpan(emitter.span_);
  }
  ~BuilderScope() {
    emitter_.builder_ = saved_;
    saved_->setSpan(emitter_.span_);
  }
  BuilderScope(const BuilderScope&) = delete;

 private:
  Emitter& emitter_;
  ir::Builder* saved_;
};

class Emitter::FrameScope {
 public:
  FrameScope(Emitter& emitter, Frame& frame, bool in_prelude)
      : emitter_(emitter), saved_(emitter.frame_), in_prelude_(in_prelude) {
    emitter.frame_ = &frame;
    emitter.prelude_depth_ += in_prelude ? 1 : 0;
    ++emitter.shared_.depth;
  }
  ~FrameScope() {
    emitter_.frame_ = saved_;
    emitter_.prelude_depth_ -= in_prelude_ ? 1 : 0;
    --emitter_.shared_.depth;
  }
  FrameScope(const FrameScope&) = delete;

 private:
  Emitter& emitter_;
  Frame* saved_;
  bool in_prelude_;
};

// Whether calls of the function are expanded in place: larger ones stay calls.
bool isSmall(const ir::Function& function);

}  // namespace dini::lower
