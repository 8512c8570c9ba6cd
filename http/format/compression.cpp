#include "http/format/compression.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include <strings.h>
#include <zlib.h>

namespace skanu {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// True where the parameters, separated by semicolons, have a weight of 0: "not acceptable".
bool forbid(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto one = parameters.substr(0, parameters.find(';'));
    parameters.remove_prefix(std::min(parameters.size(), one.size() + 1));
    const auto equals_sign = std::min(one.find('='), one.size());
    if (!equals(trimmed(one.substr(0, equals_sign)), "q") || equals_sign == one.size()) continue;
    const auto weight = trimmed(one.substr(equals_sign + 1));
    return weight.starts_with('0') && weight.find_first_not_of("0.") == weight.npos;
  }
  return false;
}

}  // namespace

bool takes_gzip(const httplib::Request& in) {
  bool any = false;
  const auto [first, last] = in.headers.equal_range("Accept-Encoding");
  for (auto field = first; field != last; ++field) {
    std::string_view rest = field->second;
    while (!rest.empty()) {
      const auto item = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), item.size() + 1));
      const auto semicolon = std::min(item.find(';'), item.size());
      const auto coding = trimmed(item.substr(0, semicolon));
      const bool allowed = semicolon == item.size() || !forbid(item.substr(semicolon + 1));
      if (equals(coding, "gzip") || equals(coding, "x-gzip")) return allowed;
      if (coding == "*") any = allowed;
    }
  }
  return any;
}

bool is_compressible(std::string_view media_type) {
  const auto essence = trimmed(media_type.substr(0, media_type.find(';')));
  return essence.starts_with("text/") || essence == "application/json" ||
         essence.ends_with("+json") || essence.ends_with("+xml");
}

std::string gzipped(std::string_view bytes, effort how) {
  constexpr int largest_window = 15, gzip_format = 16, usual_memory = 8;
  z_stream stream{};
  if (::deflateInit2(&stream, static_cast<int>(how), Z_DEFLATED, largest_window + gzip_format,
                     usual_memory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string packed(::deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);  // the bound has room for all
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

void compress(const httplib::Request& in, httplib::Response& out) {
  if (out.body.size() < least_to_compress || out.status >= 400 || out.has_header("ETag") ||
      !is_compressible(out.get_header_value("Content-Type")))
    return;
  out.headers.emplace("Vary", "Accept-Encoding");
  if (!takes_gzip(in)) return;
  out.body = gzipped(out.body, effort::quick);
  out.set_header("Content-Encoding", "gzip");
}

}  // namespace skanu
