// Compression of answers with gzip (RFC 9110, 8.4.1). No CAF.
#pragma once

#include <string>
#include <string_view>

#include <httplib.h>

namespace skanu {

/// Bodies below this size, in bytes, are sent as they are: they fit into a packet or two.
inline constexpr std::size_t least_to_compress = 1024;

enum class effort : int { quick = 1, best = 9 };

/// Whether the client takes gzip: Accept-Encoding names gzip, or else *, with a weight above 0.
bool takes_gzip(const httplib::Request& in);

/// Whether bytes of the media type become smaller: texts and JSON, no pictures but SVG.
bool is_compressible(std::string_view media_type);

/// Returns the bytes in gzip's format. Throws std::bad_alloc.
std::string gzipped(std::string_view bytes, effort how);

/// Compresses the body of an answer, where the body has the size and the type, and the client takes
/// gzip. Leaves answers with an ETag alone: the tag names the bytes, and clients send the tag back
/// with changes. Leaves errors alone, which the log looks into.
void compress(const httplib::Request& in, httplib::Response& out);

}  // namespace skanu
