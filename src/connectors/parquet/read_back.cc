#include "connectors/parquet/read_back.h"

namespace levada::parquet {

Result<std::unique_ptr<elt::BatchStream>> ReadStagedFiles(Context&, std::shared_ptr<places::Place>,
                                                          const LakeLayout&, elt::SchemaPtr,
                                                          const elt::Receipt&) {
  return Fault(FaultCode::kInternal, "not yet");
}

}  // namespace levada::parquet
