#include "http/page/assets.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "http/format/compression.hpp"
#include "http/format/digest.hpp"
#include "http/page/embedded_file.hpp"

namespace skanu {

namespace {

std::string_view bytes_of(const embedded_file& f) {
  return {f.first, static_cast<std::size_t>(f.end - f.first)};
}

/// Returns a page that names its files under the build's tag. The text lives as long as the
/// program.
std::string_view with_lasting_names(std::string_view page) {
  static auto& pages = *new std::deque<std::string>;
  constexpr std::string_view folder = "\"/assets/";
  auto& text = pages.emplace_back(page);
  for (auto at = text.find(folder); at != text.npos; at = text.find(folder, at + 1))
    text.insert(at + folder.size(), build_tag() + '/');
  return text;
}

std::vector<asset> read_assets() {
  std::vector<asset> all;
  for (std::size_t i = 0; i < embedded_file_count; ++i) {
    const auto& f = embedded_files[i];
    const bool is_page = std::string_view(f.name).ends_with(".html");
    const auto bytes = is_page ? with_lasting_names(bytes_of(f)) : bytes_of(f);
    all.push_back({f.name, bytes, media_type_of(f.name), content_tag(bytes)});
  }
  std::ranges::sort(all, {}, &asset::name);
  return all;
}

}  // namespace

std::string asset::packed_form(std::string_view bytes, std::string_view media_type) {
  if (bytes.size() < least_to_compress || !is_compressible(media_type)) return {};
  return gzipped(bytes, effort::best);
}

const std::vector<asset>& assets() {
  static const auto all = read_assets();
  return all;
}

const std::string& build_tag() {
  static const auto tag = [] {
    constexpr std::size_t length = 12;
    std::string tags;
    for (std::size_t i = 0; i < embedded_file_count; ++i)
      tags += content_tag(bytes_of(embedded_files[i]));
    return content_tag(tags).substr(0, length);
  }();
  return tag;
}

const asset* find_asset(std::string_view name) {
  const auto& all = assets();
  const auto found = std::ranges::lower_bound(all, name, {}, &asset::name);
  return found == all.end() || found->name != name ? nullptr : &*found;
}

std::string_view media_type_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> known = {{
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
  }};
  for (const auto& [ending, type] : known)
    if (name.ends_with(ending)) return type;
  return "application/octet-stream";
}

std::string content_tag(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string tag;
  for (std::size_t i = 0; const auto byte : sha256(bytes)) {
    if (i++ == 16) break;
    tag += hex[byte >> 4];
    tag += hex[byte & 15];
  }
  return tag;
}

}  // namespace skanu
