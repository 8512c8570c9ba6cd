// The log's file: a write interrupted by a signal loses no line.
#include "cluster/program/logging.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace {

std::atomic<int> failing_file = -1;
std::atomic<int> failures = 0;  ///< Failures still to come.
std::atomic<int> why = EINTR;

}  // namespace

// The log's writer calls this function in place of the C library's.
extern "C" ssize_t write(int fd, const void* bytes, size_t size) {
  if (fd == failing_file && failures > 0) {
    --failures;
    errno = why;
    return -1;
  }
  return ::syscall(SYS_write, fd, bytes, size);
}

namespace skanu {
namespace {

/// Brings the logger of the other tests back.
class log_file : public testing::Test {
 protected:
  ~log_file() override {
    failures = 0;
    failing_file = -1;
    spdlog::set_default_logger(before_);
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);) found.push_back(line);
    return found;
  }

  const temporary_folder folder_;
  const std::string path_ = (folder_.path() / "skanu.log").string();

 private:
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(log_file, has_each_line_once_though_writes_were_interrupted) {
  log_options options;
  options.file = path_;
  for (const int error : {EINTR, EAGAIN}) {
    why = error;
    failures = 3;
    failing_file = start_logging(options);
    for (int i = 0; i < 1'000; ++i) spdlog::info("event=test number={}", i);
    stop_logging();
    EXPECT_EQ(failures, 0);
    const auto written = lines();
    ASSERT_EQ(written.size(), 1'000U) << error;
    for (std::size_t i = 0; i < written.size(); ++i)
      EXPECT_TRUE(written[i].ends_with("event=test number=" + std::to_string(i))) << written[i];
    std::ofstream(path_, std::ios::trunc);
  }
}

}  // namespace
}  // namespace skanu
