// How folders and files of data are made: for their owner alone, and durable under their names.
#pragma once

#include <filesystem>

#include <sys/types.h>

namespace skanu {

inline constexpr mode_t private_file = 0600;
inline constexpr mode_t private_folder = 0700;

/// Flushes a file, or the names in a folder. Throws store_error.
void flush(const std::filesystem::path& path);

/// Makes a folder of databases with its missing parents, each flushed in the folder that it stands
/// in. Where the file system knows copy-on-write it is asked to leave it, for the folder and what
/// will be in it: a full btrfs cannot write a page anew that was mapped into memory, and ends the
/// process with SIGBUS. A folder that is there stays as it is. Throws store_error.
void make_data_folder(const std::filesystem::path& folder);

/// Opens a file for reading and writing; a new one is its owner's alone. -1 and errno where it
/// cannot.
int open_private(const std::filesystem::path& file, int flags);

/// One line in the log where others than the owner may look into a folder or file.
void warn_if_open_to_others(const std::filesystem::path& path);

}  // namespace skanu
