#include "persistence/directory/admin_token.hpp"

#include <array>
#include <filesystem>
#include <stdexcept>

#include <openssl/rand.h>
#include <spdlog/spdlog.h>

#include "persistence/files/private_file.hpp"

namespace skanu {

namespace {

std::string file_in(const std::string& data) {
  return (std::filesystem::path(data) / "admin.token").string();
}

std::string random_token() {
  std::array<unsigned char, 32> bytes{};
  if (::RAND_bytes(bytes.data(), bytes.size()) != 1) throw std::runtime_error("no random numbers");
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

std::string read_admin_token(const std::string& data) {
  auto token = read_private_line(file_in(data));
  if (token.size() < shortest_admin_token)
    throw std::runtime_error("the token in " + file_in(data) +
                             " has fewer than 32 characters: remove the file, and the next start "
                             "makes a good one");
  return token;
}

std::optional<std::string> admin_token_at_start(const std::string& data) {
  try {
    if (!std::filesystem::exists(file_in(data))) write_private_line(file_in(data), random_token());
    return read_admin_token(data);
  } catch (const std::runtime_error& problem) {
    spdlog::error("event=admin_token_refused reason=\"{}\"", problem.what());
    return std::nullopt;
  }
}

}  // namespace skanu
