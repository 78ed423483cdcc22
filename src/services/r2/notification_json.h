#pragma once
// Rules of event notifications as JSON of the v4 API, both ways. Shapes: Cloudflare's API
// reference, "R2 > Buckets > Event Notifications". How Control keeps them: notifications.h.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "services/r2/notifications.h"

namespace levada::services::r2 {

/// Cloudflare's, of a bucket: every write looks at all of them.
inline constexpr size_t kNotificationRulesMax = 100;

/// {"rules": [{"actions": [...], "prefix"?, "suffix"?, "description"?}]}, at least one; without
/// ids, queues and times. kBadArgument with what cannot be read.
Result<std::vector<NotificationRule>> ReadNotificationRules(std::string_view body);
/// {"ruleIds": [...]}; none: all of them. kBadArgument.
Result<std::set<std::string>> ReadRuleIds(std::string_view body);

/// Those for a queue, as a JSON array.
std::string ShowRules(const std::vector<NotificationRule>& rules, uint64_t queue);

}  // namespace levada::services::r2
