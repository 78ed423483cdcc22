#include "places/s3/open_place.h"

#include <utility>

#include "places/local_place.h"
#include "places/s3/s3_place.h"

namespace levada::places {

Status CheckLocation(const std::string& location, const Variables& variables) {
  return IsS3Url(location) ? ParseS3Url(location, variables).status()
                           : LocalPathOf(location).status();
}

Result<std::shared_ptr<Place>> OpenPlace(const std::string& location, const PlaceInput& input) {
  if (!IsS3Url(location)) {
    ARROW_ASSIGN_OR_RAISE(std::string path, LocalPathOf(location));
    return MakeLocalPlace(*input.disk, std::move(path));
  }
  ARROW_ASSIGN_OR_RAISE(S3Address address, ParseS3Url(location, input.variables));
  CredentialInput credentials{input.variables, input.file, address.region};
  net::SessionLimits limits;
  limits.ca_file = address.ca_file;
  auto client =
      std::make_shared<S3Client>(std::move(address), std::move(credentials), *input.random,
                                 [limits] { return net::MakeHttpSession(limits); });
  return MakeS3Place(std::move(client), *input.random);
}

}  // namespace levada::places
