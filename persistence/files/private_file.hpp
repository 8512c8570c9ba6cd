// Files that hold a secret: nobody but their owner may read them.
#pragma once

#include <string>

namespace skanu {

/// The first line of a file that only this process's user may read; one that root owns may be read
/// by this process's group as well (0640), because mounted secrets are root's. Throws
/// std::runtime_error whose words name the file and say what is to be done: where it is not there,
/// others may read it, or its first line is empty.
std::string read_private_line(const std::string& file);

/// Makes the file with one line, mode 0600, durably and whole or not at all; what was there is
/// replaced. Throws std::runtime_error that names the file.
void write_private_line(const std::string& file, const std::string& line);

}  // namespace skanu
