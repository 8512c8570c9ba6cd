// A function on a separate stack, able to pause in the middle and resume later.
#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <cstddef>
#include <functional>

namespace skanu {

/// Stacks with a guard page. A context's last frame never returns; AddressSanitizer would keep the
/// frame's marks beyond the stack's life, for the memory's next owner.
struct fiber_stacks : boost::context::protected_fixedsize_stack {
  using boost::context::protected_fixedsize_stack::basic_protected_fixedsize_stack;
  void deallocate(boost::context::stack_context& stack) noexcept;
};

/// Belongs to the thread of the first resume: only that thread may resume the fiber again, so
/// thread-local values stay the same across a pause. Destruction is allowed before the first step,
/// or after the body has returned. A guard page behind the stack ends the process at once on an
/// overflow.
class fiber {
 public:
  /// The first `resume` starts `body`. `body` must not throw.
  fiber(std::size_t stack_bytes, std::function<void()> body);
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber();

  /// Continues the body until the next pause or the end.
  void resume();
  /// Called by the body: returns to the thread until the next `resume`.
  void pause();

 private:
  void enter(boost::context::fiber&& resumer);

  // Sanitizers must be told of every switch of stacks.
  void leaving_thread();
  void back_on_thread();
  void arrived_on_fiber();
  void leaving_fiber(bool for_ever);

  std::function<void()> body_;
  fiber_stacks stacks_;
  boost::context::stack_context stack_;
  boost::context::fiber inside_;   // the body, while paused
  boost::context::fiber outside_;  // the resumer, while the body runs
  [[maybe_unused]] void* thread_state_ = nullptr;
  [[maybe_unused]] void* fiber_state_ = nullptr;
  [[maybe_unused]] const void* thread_stack_ = nullptr;
  [[maybe_unused]] std::size_t thread_stack_size_ = 0;
};

}  // namespace skanu
