#pragma once
// Imports and exports as D1's API has them: begun by a POST, asked about by the same POST until
// they have ended, their files sent and fetched by an address without a token. Internal to the
// door.

#include <string_view>

#include "services/core/route.h"
#include "services/d1/d1_access.h"

namespace levada::services::d1 {

/// With ?token=, the secret: the log has paths, and of queries names alone.
inline constexpr std::string_view kTransferPath = "/d1/transfers/{file}";

/// {"action": "init", "etag"} -> {"upload_url","filename"}; "ingest" and "poll" -> its state.
net::Task<net::Response> Import(const D1Access& access, Call& call, Resource database);
/// {"output_format":"polling","dump_options"?,"current_bookmark"?} -> its state.
net::Task<net::Response> Export(const D1Access& access, Call& call, Resource database);
net::Task<net::Response> PutTransfer(const D1Access& access, Call& call);
net::Task<net::Response> GetTransfer(const D1Access& access, Call& call);

}  // namespace levada::services::d1
