#pragma once
// What the v4 door and the binding door of R2 work with. All outlive both.

#include <string>

#include "services/r2/buckets.h"
#include "services/r2/object_store.h"

namespace levada::services::r2 {

struct R2Access {
  ObjectStore& store;
  Buckets& buckets;
  const Control& control;
  std::string s3_address = {};  ///< "127.0.0.1:8788", where public buckets are read; "": unknown
};

}  // namespace levada::services::r2
