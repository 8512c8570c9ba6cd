#include "http/server/request_target.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace skanu {

namespace {

/// The text before the first `sign`, and the text behind; without a sign, the whole and nothing.
std::pair<std::string_view, std::string_view> split_at(char sign, std::string_view text) {
  const auto at = text.find(sign);
  if (at == text.npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

std::string decoded(std::string_view text, bool plus_is_space) {
  if (text.find_first_of("%+") == text.npos) return std::string(text);
  return httplib::detail::decode_url(std::string(text), plus_is_space);
}

/// Decodes a path. An encoded slash stays encoded, so that it separates no segments (RFC
/// 3986, 2.2).
std::string decoded_path(std::string_view path) {
  std::string out;
  for (;;) {
    auto slash = path.find("%2");
    while (slash != path.npos && slash + 2 < path.size() && (path[slash + 2] | 0x20) != 'f')
      slash = path.find("%2", slash + 1);
    if (slash == path.npos) return out + decoded(path, false);
    out += decoded(path.substr(0, slash), false);
    out += "%2F";
    path.remove_prefix(slash + 3);
  }
}

void add_parameter(httplib::Params& params, std::string_view text) {
  const auto [encoded_name, encoded_value] = split_at('=', text);
  auto name = decoded(encoded_name, true);
  auto value = decoded(encoded_value, true);
  const auto [first, last] = params.equal_range(name);
  if (std::none_of(first, last, [&](const auto& p) { return p.second == value; }))
    params.emplace_hint(last, std::move(name), std::move(value));
}

}  // namespace

void set_target(httplib::Request& request, std::string_view target) {
  request.target = target;
  auto [path, query] = split_at('?', target);
  request.path = decoded_path(path);
  while (!query.empty()) {
    const auto [parameter, rest] = split_at('&', query);
    if (!parameter.empty()) add_parameter(request.params, parameter);
    query = rest;
  }
}

}  // namespace skanu
