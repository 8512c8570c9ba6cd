// Owner of a file descriptor; closes the descriptor on destruction.
#pragma once

#include <unistd.h>

#include <utility>

namespace skanu {

class file_descriptor {
 public:
  explicit file_descriptor(int descriptor = -1) : descriptor_{descriptor} {}
  file_descriptor(file_descriptor&& other) noexcept
      : descriptor_{std::exchange(other.descriptor_, -1)} {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  ~file_descriptor() { reset(); }

  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }
  void reset() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

}  // namespace skanu
