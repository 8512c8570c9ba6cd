// A durable store in a folder of the test's own, for tests of damage, lack of room and crashes.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/store_backends.hpp"
#include "tests/support/store_model.hpp"
#include "tests/support/temporary_folder.hpp"

namespace skanu {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

inline constexpr auto deadline = 20s;
inline constexpr auto order = service::order;
inline const std::vector<service> services = {order};

inline std::string bytes_of(const fs::path& file) {
  std::string bytes(fs::file_size(file), '\0');
  std::ifstream(file, std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

inline void replace_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// Reads the whole store and writes one commit; tolerates a store_error.
inline int use_all_of(const store_backend& backend, const fs::path& folder) {
  try {
    const auto opened = backend.open(folder, services, 0);
    contents_of(*opened->read(), services);
    const auto c = commit_maker(order).next(2000);
    opened->write(std::vector{&c});
  } catch (const store_error&) {
  }
  return 0;
}

class durability : public testing::TestWithParam<store_backend> {
 protected:
  std::unique_ptr<store> open(std::int64_t max_bytes = 0) const {
    return GetParam().open(folder(), services, max_bytes);
  }

  fs::path folder() const { return folder_.path(); }
  fs::path file() const { return folder() / GetParam().file; }

  /// Makes a store of a few hundred pages, and closes the store.
  void fill() {
    const auto filled = open();
    std::vector<commit> commits;
    for (entity_id id = 1; id <= 1000; ++id) commits.push_back(orders_.next(id));
    std::vector<const commit*> batch;
    for (const auto& c : commits) batch.push_back(&c);
    for (const auto& result : filled->write(batch)) ASSERT_EQ(result, std::nullopt);
    ASSERT_EQ(filled->write(std::vector{&batch_of_one_}), std::vector<commit_result>(1));
  }

  /// Demands a clear, one-line store_error from opening and reading the whole store.
  void expect_refused(const std::string& why = "") const {
    try {
      const auto opened = open();
      contents_of(*opened->read(), services);
      ADD_FAILURE() << "opened and read";
    } catch (const store_error& e) {
      EXPECT_EQ(e.code(), errc::store_failed);
      const std::string said = e.what();
      EXPECT_NE(said.find(folder().string()), said.npos) << said;
      EXPECT_NE(said.find(why), said.npos) << said;
      EXPECT_EQ(said.find('\n'), said.npos) << said;
    }
  }

  /// Writes `damaged` to the file, and demands a refusal that leaves the file unchanged. Then
  /// restores the bytes, and demands a whole store.
  void expect_refused_and_untouched(const std::string& damaged) const {
    const auto whole = bytes_of(file());
    replace_bytes(file(), damaged);
    expect_refused();
    EXPECT_TRUE(bytes_of(file()) == damaged) << "it was changed";
    replace_bytes(file(), whole);
    EXPECT_EQ(open()->read()->count(order, {}), 1000);
  }

  const temporary_folder folder_;
  commit_maker orders_{order};
  commit batch_of_one_{.events = {"last"}};
};

}  // namespace skanu
