// Damage and lack of permission: a clear error, and the files stay as they are.
#include <sys/fsuid.h>

#include <random>

#include "tests/persistence/durability_fixture.hpp"
#include "tests/support/child_process.hpp"

namespace skanu {
namespace {

/// The size up to the last page in use; a file may end in empty pages.
std::size_t size_in_use(const std::string& file) {
  return (file.find_last_not_of('\0') / 4096 + 1) * 4096;
}

/// Drops root's right to read and write every file, for the object's lifetime.
class without_root_powers {
 public:
  without_root_powers() { ::setfsuid(65534); }
  ~without_root_powers() { ::setfsuid(0); }
  without_root_powers(const without_root_powers&) = delete;
  without_root_powers& operator=(const without_root_powers&) = delete;
};

// Damage.

TEST_P(durability, a_file_with_a_damaged_front_is_refused) {
  fill();
  auto damaged = bytes_of(file());
  for (std::size_t i = 0; i < 2 * 4096; ++i) damaged[i] = static_cast<char>(i * 31 + 7);
  expect_refused_and_untouched(damaged);
}

TEST_P(durability, a_truncated_file_is_refused) {
  fill();
  const auto whole = bytes_of(file());
  const auto used = size_in_use(whole);
  for (const auto size : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{4096},
                          used / 2, used / 2 / 4096 * 4096, used - 4096}) {
    SCOPED_TRACE(testing::Message() << size << " of " << used << " bytes");
    expect_refused_and_untouched(whole.substr(0, size));
  }
}

TEST_P(durability, something_else_in_the_files_place_is_refused) {
  for (const auto& other : {std::string("#!/bin/sh\necho hello\n"), std::string(20'000, 'x'),
                            std::string(20'000, '\0')}) {
    replace_bytes(file(), other);
    expect_refused();
    EXPECT_TRUE(bytes_of(file()) == other) << "it was changed";
  }
  fs::remove(file());
  fs::create_directory(file());
  expect_refused();
  EXPECT_TRUE(fs::is_directory(file()));
}

TEST_P(durability, flipped_bytes_in_stored_values_never_crash_the_program) {
  fill();
  const auto whole = bytes_of(file());
  std::mt19937 random(20'221'015);  // fixed seed: the same damage in every run
  std::size_t at = size_in_use(whole) / 3;
  for (int round = 0; round < 20; ++round) {
    at = whole.find(R"("version":)", at + 5000);
    ASSERT_NE(at, whole.npos);
    auto damaged = whole;
    for (std::size_t i = at; i < at + 12; ++i) damaged[i] = static_cast<char>(random());
    replace_bytes(file(), damaged);
    child_process user([&] { return use_all_of(GetParam(), folder()); });
    EXPECT_EQ(user.wait(), 0) << "damage at " << at;
  }
}

TEST_P(durability, a_store_of_a_newer_program_is_refused) {
  {
    const auto opened = open();
    const commit newer{.rows = {{row_space::meta, "format", "skanu 3"}}};
    ASSERT_EQ(opened->write(std::vector{&newer}).at(0), std::nullopt);
  }
  EXPECT_THROW(open(), store_error);
}

// Permission.

TEST_P(durability, a_store_that_cannot_be_written_is_refused) {
  fill();
  const auto whole = bytes_of(file());
  fs::permissions(folder(), fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  for (const auto mode : {fs::perms::others_read, fs::perms::none}) {
    fs::permissions(file(), fs::perms::owner_read | mode);
    const without_root_powers as_anybody;
    expect_refused("ermission");
  }
  EXPECT_TRUE(bytes_of(file()) == whole) << "it was changed";
  fs::permissions(file(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(open()->read()->count(order, {}), 1000);
}

TEST_P(durability, a_folder_where_nothing_can_be_made_is_refused) {
  fs::permissions(folder(), fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                                fs::perms::others_exec);
  {
    const without_root_powers as_anybody;
    expect_refused("ermission");
  }
  fs::permissions(folder(), fs::perms::owner_all);
}

}  // namespace
}  // namespace skanu
