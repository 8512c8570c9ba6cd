// The version of this program, as `skanu --version` prints it.
#pragma once

#include <string>
#include <string_view>

namespace skanu {

/// The first line of the file VERSION, and the commit that was built: from cmake/Version.cmake.
extern const std::string_view program_version;
extern const std::string_view program_commit;

/// Version, commit, the protocol versions spoken between nodes, and the format of stored data.
std::string version_text();

}  // namespace skanu
