#include "elt/connections.h"

#include <charconv>
#include <utility>

namespace levada::elt {

int ReadConnections(const Options& options, int most, bool whole_partitions,
                    const std::string& divided, std::vector<Diagnostic>& problems) {
  const std::string& text = options.Text("connections");
  if (text == "auto") return 0;
  const auto refuse = [&](FaultCode code, std::string message, std::string help) {
    problems.push_back(options.ErrorAt("connections", code, std::move(message), std::move(help)));
    return 1;
  };
  int connections = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, connections);
  if (parsed.ec != std::errc() || parsed.ptr != end || connections < 1 || connections > most) {
    return refuse(
        FaultCode::kBadValue,
        "expected auto or a number from 1 to " + std::to_string(most) + ", got \"" + text + "\"",
        "write connections: auto");
  }
  if (connections == 1) return 1;
  // What is to be seen only at the source is a note of the plan, and so is it of auto.
  if (whole_partitions) {
    return refuse(
        FaultCode::kImpossiblePlan,
        "\"connections\" divides a partition, and a transformer of this pipeline compares all of "
        "its rows",
        "remove it; parallel: { partitions: " + text + " } reads several partitions at once");
  }
  if (!options.Given("query")) return connections;
  return refuse(
      FaultCode::kImpossiblePlan, "\"connections\" divides " + divided + ", and a query has none",
      "remove it; a query can be cut with partition:, and parallel: { partitions: " + text +
          " } reads its parts at once");
}

}  // namespace levada::elt
