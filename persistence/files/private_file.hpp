// Files with a secret, readable by the owner alone.
#pragma once

#include <string>

namespace skanu {

/// Returns the first line of a file readable by the process's user alone. A file of root's may also
/// be readable by the process's group (0640), because mounted secrets belong to root. Throws
/// std::runtime_error, with the file's name and a remedy, if the file is missing, others may read
/// the file, or the line is empty.
std::string read_private_line(const std::string& file);

/// Creates or replaces the file with a single line, mode 0600, durably and atomically. Throws
/// std::runtime_error with the file's name.
void write_private_line(const std::string& file, const std::string& line);

}  // namespace skanu
