#include "http/server/fiber.hpp"

#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace skanu {

void fiber_stacks::deallocate(boost::context::stack_context& stack) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(static_cast<char*>(stack.sp) - stack.size, stack.size);
#endif
  boost::context::protected_fixedsize_stack::deallocate(stack);
}

fiber::fiber(std::size_t stack_bytes, std::function<void()> body)
    : body_{std::move(body)}, stacks_{stack_bytes}, stack_{stacks_.allocate()} {
  inside_ = boost::context::fiber{std::allocator_arg,
                                  boost::context::preallocated{stack_.sp, stack_.size, stack_},
                                  stacks_, [this](boost::context::fiber&& resumer) {
                                    enter(std::move(resumer));
                                    return std::move(outside_);
                                  }};
#if defined(__SANITIZE_THREAD__)
  fiber_state_ = __tsan_create_fiber(0);
#endif
}

// The context releases the stack.
fiber::~fiber() {
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(fiber_state_);
#endif
}

void fiber::enter(boost::context::fiber&& resumer) {
  outside_ = std::move(resumer);
  arrived_on_fiber();
  body_();
  leaving_fiber(true);
}

void fiber::resume() {
  leaving_thread();
  inside_ = std::move(inside_).resume();
  back_on_thread();
}

void fiber::pause() {
  leaving_fiber(false);
  outside_ = std::move(outside_).resume();
  arrived_on_fiber();
}

#if defined(__SANITIZE_ADDRESS__)

void fiber::leaving_thread() {
  __sanitizer_start_switch_fiber(&thread_state_, static_cast<const char*>(stack_.sp) - stack_.size,
                                 stack_.size);
}
void fiber::back_on_thread() { __sanitizer_finish_switch_fiber(thread_state_, nullptr, nullptr); }
void fiber::arrived_on_fiber() {
  __sanitizer_finish_switch_fiber(fiber_state_, &thread_stack_, &thread_stack_size_);
}
void fiber::leaving_fiber(bool for_ever) {
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &fiber_state_, thread_stack_,
                                 thread_stack_size_);
}

#elif defined(__SANITIZE_THREAD__)

void fiber::leaving_thread() {
  thread_state_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fiber_state_, 0);
}
void fiber::back_on_thread() {}
void fiber::arrived_on_fiber() {}
void fiber::leaving_fiber(bool) { __tsan_switch_to_fiber(thread_state_, 0); }

#else

void fiber::leaving_thread() {}
void fiber::back_on_thread() {}
void fiber::arrived_on_fiber() {}
void fiber::leaving_fiber(bool) {}

#endif

}  // namespace skanu
