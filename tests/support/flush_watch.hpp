// The listener to every flush of this process; durability_test.cpp stands before the C library.
#pragma once

namespace skanu {

/// Null: nobody. Called before the flush, on the thread that flushes.
extern void (*flush_watch)(int fd);

}  // namespace skanu
