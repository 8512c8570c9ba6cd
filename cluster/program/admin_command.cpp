// `skanu admin`: an operator's requests to a node, with the token from the node's data directory.
#include <iostream>
#include <stdexcept>

#include <httplib.h>
#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "cluster/program/commands.hpp"
#include "cluster/protocol/reachable.hpp"
#include "persistence/directory/admin_token.hpp"

namespace skanu {

namespace {

constexpr std::chrono::seconds to_connect{2}, to_answer{10};
constexpr int refused = 1;
constexpr std::string_view letters_path = "/admin/deadLetters";

class admin_client {
 public:
  explicit admin_client(const program_options& options)
      : host_(options.admin.address),
        port_(static_cast<std::uint16_t>(options.admin.port)),
        place_(host_ + ':' + std::to_string(port_)),
        client_(options.admin.address, options.admin.port),
        headers_{{"Authorization", std::string("Bearer ").append(read_admin_token(options.data))}} {
    client_.set_connection_timeout(to_connect);
    client_.set_read_timeout(to_answer);
    client_.set_write_timeout(to_answer);
  }

  /// Returns the body of a successful answer. Prints the problem of any other answer and returns
  /// nullopt. Throws std::system_error without an answer.
  std::optional<std::string> ask(const char* method, const std::string& path) {
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.headers = headers_;
    const auto result = client_.send(request);
    if (!result) throw std::runtime_error("nobody answers at " + place_ + ": " + why_not());
    if (result->status >= 200 && result->status < 300) return result->body;
    const auto problem = nlohmann::json::parse(result->body, nullptr, false);
    const auto detail = problem.is_object() ? problem.value("detail", "") : std::string();
    std::cerr << "skanu: " << result->status << ' ' << detail << '\n';
    return std::nullopt;
  }

 private:
  /// The library only says that it has failed: another attempt to connect says why.
  std::string why_not() const {
    if (const auto problem = why_unreachable(host_, port_, to_connect)) return problem.message();
    return fmt::format("it accepts connections, and sends no answer within {} s",
                       to_answer.count());
  }

  std::string host_;
  std::uint16_t port_;
  std::string place_;
  httplib::Client client_;
  httplib::Headers headers_;
};

/// Escapes text for a segment of a path.
std::string escaped(std::string_view text) {
  constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == ':' || c == '_') {
      out += c;
    } else {
      out.append({'%', hex[byte >> 4], hex[byte & 15]});
    }
  }
  return out;
}

/// Prints the letters of all pages, a line each. Returns `refused` if damaged letters are missing.
int list_letters(admin_client& node) {
  int status = 0;
  std::string path = std::string(letters_path).append("?size=100");
  while (!path.empty()) {
    const auto body = node.ask("GET", path);
    if (!body) return refused;
    const auto page = nlohmann::ordered_json::parse(*body);
    for (const auto& letter : page.at("_embedded").at("deadLetters"))
      std::cout << letter.dump() << '\n';
    for (const auto& name : page.value("damaged", nlohmann::ordered_json::array())) {
      std::cerr << "skanu: the dead letter " << name.get<std::string>() << " is damaged\n";
      status = refused;
    }
    const auto& links = page.at("_links");
    path = links.contains("next") ? links["next"].at("href").get<std::string>() : std::string();
  }
  return status;
}

}  // namespace

int run_admin(const program_options& options) {
  admin_client node(options);
  const auto& asked = options.admin;
  const auto letter = std::string(letters_path).append("/").append(escaped(asked.target));
  switch (asked.wish) {
    case admin_wish::dead_letters: return list_letters(node);
    case admin_wish::replay: return node.ask("POST", letter + "/replay") ? 0 : refused;
    case admin_wish::discard: return node.ask("DELETE", letter) ? 0 : refused;
    case admin_wish::explain: {
      const auto body =
          node.ask("GET", std::string("/admin/explain/orders/").append(escaped(asked.target)));
      if (!body) return refused;
      std::cout << nlohmann::ordered_json::parse(*body).dump(2) << '\n';
      return 0;
    }
  }
  return refused;
}

}  // namespace skanu
