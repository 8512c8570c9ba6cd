// What the source that cmake/Embed.cmake generates defines.
#pragma once

#include <cstddef>

namespace skanu {

struct embedded_file {
  const char* name;
  const char* first;
  const char* end;
};

extern const embedded_file embedded_files[];
extern const std::size_t embedded_file_count;

}  // namespace skanu
