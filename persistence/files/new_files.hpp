// Creation of folders and files for data: open to the owner alone, with durable names.
#pragma once

#include <filesystem>

#include <sys/types.h>

namespace skanu {

inline constexpr mode_t private_file = 0600;
inline constexpr mode_t private_folder = 0700;

/// Flushes a file, or the names in a folder. Throws store_error.
void flush(const std::filesystem::path& path);

/// Creates a folder for databases and the missing parents, and flushes each in the parent folder.
/// Switches copy-on-write off, if the file system has it, for the folder and all later files: a
/// full btrfs cannot rewrite a page mapped into memory, and ends the process with SIGBUS. An
/// existing folder stays unchanged. Throws store_error.
void make_data_folder(const std::filesystem::path& folder);

/// Opens a file for reading and writing, and creates a missing file for the owner alone. Returns -1
/// and sets errno on failure.
int open_private(const std::filesystem::path& file, int flags);

/// Logs a line if others than the owner may use a folder or file.
void warn_if_open_to_others(const std::filesystem::path& path);

}  // namespace skanu
