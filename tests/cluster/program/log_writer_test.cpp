// The log's writer before files and pipes that take no lines.
#include "cluster/program/log_writer.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"

namespace skanu {
namespace {

std::string plain_line(spdlog::level::level_enum, std::string_view text) {
  return std::string(text) + '\n';
}

std::string content_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(log_writer, a_pipe_without_a_reader_held_the_start_for_ever) {
  const temporary_folder folder;
  const auto pipe = (folder.path() / "log").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(open_log(pipe), -1);
  EXPECT_EQ(errno, ENXIO);
}

TEST(log_writer, a_pipe_that_lost_its_reader_goes_on_when_it_is_opened_anew) {
  const temporary_folder folder;
  const auto pipe = (folder.path() / "log").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  const auto writer = log_writer::start(open_log(pipe), pipe, plain_line);
  std::signal(SIGPIPE, SIG_IGN);
  ::close(reader);
  writer->open_anew();
  writer->add("nobody reads\n");
  writer->stop();
}

TEST(log_writer, a_full_pipe_does_not_hold_the_stop) {
  const temporary_folder folder;
  const auto pipe = (folder.path() / "log").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  const auto writer = log_writer::start(open_log(pipe), pipe, plain_line);
  writer->add(std::string(1 << 20, 'x') + '\n');
  writer->stop();
  ::close(reader);
}

/// A counter claims to have room, but holds the write of a number too large for the room.
TEST(log_writer, a_write_that_does_not_come_back_held_the_stop) {
  const int counter = ::eventfd(1, 0);
  const std::uint64_t largest = ~std::uint64_t{1};
  const auto writer = log_writer::start(counter, "", plain_line);
  writer->add({reinterpret_cast<const char*>(&largest), sizeof largest});
  const auto began = std::chrono::steady_clock::now();
  writer->stop();
  EXPECT_GE(std::chrono::steady_clock::now() - began, log_writer::patience_at_the_end)
      << "nothing held it";
  std::uint64_t number = 0;
  EXPECT_EQ(::read(counter, &number, sizeof number), 8) << "the write goes on";
}

TEST(log_writer, lines_that_the_disk_refused_were_lost_without_a_word) {
  const temporary_folder folder;
  const auto file = (folder.path() / "log").string();
  std::atomic<bool> told = false;
  const auto tell = [&](spdlog::level::level_enum level, std::string_view text) {
    told = true;
    return plain_line(level, text);
  };
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit ten_bytes{10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &ten_bytes), 0);
  const auto writer = log_writer::start(open_log(file), file, tell);
  std::int64_t added = 0;
  for (; !told; ++added) {
    writer->add("a line of the log\n");
    writer->hurry();
    std::this_thread::yield();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  writer->add("there is room again\n");
  ++added;
  writer->stop();

  std::istringstream lines(content_of(file));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "a line of ") << "the part before the disk was full, with an end";
  std::int64_t whole = 0, lost = 0;
  while (std::getline(lines, line)) {
    constexpr std::string_view front = "event=log_lines_lost count=";
    if (line.starts_with(front)) {
      lost += std::stoll(line.substr(front.size()));
    } else {
      EXPECT_TRUE(line == "a line of the log" || line == "there is room again") << line;
      ++whole;
    }
  }
  EXPECT_GT(lost, 0);
  EXPECT_EQ(whole + lost, added);
}

}  // namespace
}  // namespace skanu
