// A function with a stack of its own, which can be left in the middle and gone on with later.
#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <cstddef>
#include <functional>

namespace skanu {

/// Belongs to the thread that resumes it first: that one alone may resume it, so thread-local
/// values stay the same on both sides of a pause. It ends paused before its first step, or after
/// its body has returned. Behind its stack lies a page that must not be touched: an overflow ends
/// the process at once.
class fiber {
 public:
  /// `body` begins with the first `resume`, and must not throw.
  fiber(std::size_t stack_bytes, std::function<void()> body);
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber();

  /// Runs the body on from where it paused, until it pauses again or returns.
  void resume();
  /// By the body: leaves, until `resume` is called again.
  void pause();

 private:
  void enter(boost::context::fiber&& resumer);

  // A sanitizer has to be told of every change of stacks.
  void leaving_thread();
  void back_on_thread();
  void arrived_on_fiber();
  void leaving_fiber(bool for_ever);

  std::function<void()> body_;
  boost::context::protected_fixedsize_stack stacks_;
  boost::context::stack_context stack_;
  boost::context::fiber inside_;   // the body, while it is paused
  boost::context::fiber outside_;  // who resumed it, while it runs
  void* thread_state_ = nullptr;
  void* fiber_state_ = nullptr;
  const void* thread_stack_ = nullptr;
  std::size_t thread_stack_size_ = 0;
};

}  // namespace skanu
