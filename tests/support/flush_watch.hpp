// Observer of every flush of this process; durability_test.cpp replaces the C library's functions.
#pragma once

namespace skanu {

/// Called before the flush, on the flushing thread; null: no observer.
extern void (*flush_watch)(int fd);

}  // namespace skanu
