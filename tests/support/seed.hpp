// The seed of tests by chance.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace skanu {

/// The value of SKANU_SEED, to repeat a run; else a random seed. Prints the seed.
inline std::uint64_t seed_of_this_run() {
  const auto* given = std::getenv("SKANU_SEED");
  const std::uint64_t seed = given ? std::stoull(given) : std::random_device{}();
  std::cout << "SKANU_SEED=" << seed << std::endl;
  return seed;
}

}  // namespace skanu
