#include "persistence/files/private_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace skanu {

namespace {

constexpr std::size_t longest_line = 4096;

/// A sentence that says all: words of the system behind it would say less.
[[noreturn]] void refuse(const std::string& what) { throw std::runtime_error(what); }

[[noreturn]] void fail(int code, const std::string& what) {
  throw std::system_error(code, std::generic_category(), what);
}

/// Closes the file.
struct descriptor {
  int number;
  ~descriptor() {
    if (number >= 0) ::close(number);
  }
};

/// Returns the permission bits that a secret's file must not have.
mode_t forbidden_bits(uid_t owner) {
  const bool is_mounted_by_root = owner == 0 && ::geteuid() != 0;
  return is_mounted_by_root ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
}

}  // namespace

std::string read_private_line(const std::string& file) {
  const descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (opened.number < 0) fail(errno, "cannot read the file " + file);
  struct stat about {};
  if (::fstat(opened.number, &about) != 0) fail(errno, "cannot read the file " + file);
  if (!S_ISREG(about.st_mode)) refuse("cannot read a secret from " + file + ": it is no file");
  if ((about.st_mode & forbidden_bits(about.st_uid)) != 0)
    refuse("others may read the secret in " + file + ": chmod 600 it");
  std::string line(longest_line, '\0');
  const auto size = ::read(opened.number, line.data(), line.size());
  if (size < 0) fail(errno, "cannot read the file " + file);
  line.resize(static_cast<std::size_t>(size));
  line.resize(std::min(line.find_first_of("\r\n"), line.size()));
  if (line.empty()) refuse("there is no secret in the file " + file);
  return line;
}

void write_private_line(const std::string& file, const std::string& line) {
  const auto unfinished = file + ".new";
  const auto folder = std::filesystem::path(file).parent_path();
  {
    ::unlink(unfinished.c_str());  // left by a crash
    const descriptor made{
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (made.number < 0) fail(errno, "cannot make the file " + file);
    const auto text = line + '\n';
    const auto written = ::write(made.number, text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()))
      fail(written < 0 ? errno : ENOSPC, "cannot write the file " + file);
    if (::fsync(made.number) != 0) fail(errno, "cannot write the file " + file);
  }
  if (::rename(unfinished.c_str(), file.c_str()) != 0) fail(errno, "cannot make the file " + file);
  const descriptor parent{::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC)};
  if (parent.number < 0 || ::fsync(parent.number) != 0) fail(errno, "cannot make the file " + file);
}

}  // namespace skanu
