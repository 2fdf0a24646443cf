// Runs work on a thread with a stack of its own: recursion of the user's program is recursion of
// the engine that runs it. An exception of the work is thrown on in the caller.
#pragma once

#include <cstddef>
#include <functional>

namespace dini {

// On the caller's stack where no such thread can be had.
void runOnLargeStack(size_t bytes, const std::function<void()>& work);

}  // namespace dini
