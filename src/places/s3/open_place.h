#pragma once
// OpenPlace: the place that a location names, as people write it: a directory, its file:// URL, or
// an s3:// URL.

#include <memory>
#include <string>

#include "base/clock.h"
#include "os/disk.h"
#include "places/place.h"
#include "places/s3/s3_credentials.h"

namespace levada::places {

/// What places are made of; disk and random outlive them.
struct PlaceInput {
  os::Disk* disk = nullptr;
  Random* random = nullptr;
  Variables variables;  ///< of the environment
  std::function<Result<std::string>(const std::string& path)> file;
};

/// kBadValue, without connecting: what the location names need not be there.
Status CheckLocation(const std::string& location, const Variables& variables);

/// Never connects; errors as CheckLocation.
Result<std::shared_ptr<Place>> OpenPlace(const std::string& location, const PlaceInput& input);

}  // namespace levada::places
