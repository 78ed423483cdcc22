#include "services/core/door_watch.h"

#include <algorithm>
#include <string>
#include <utility>

namespace levada::services {
namespace {

constexpr std::array<std::string_view, 8> kMethodNames = {"GET",    "HEAD",  "PUT",     "POST",
                                                          "DELETE", "PATCH", "OPTIONS", "other"};
constexpr std::array<std::string_view, 6> kClassNames = {"1xx", "2xx", "3xx", "4xx", "5xx", "501"};
constexpr std::string_view kNoRoute = "none";

/// Into kClassNames. What was asked for and is not here stands apart: 5xx is what to be woken for.
size_t ClassOf(int status) {
  return status == 501 ? 5 : static_cast<size_t>(std::clamp(status / 100, 1, 5) - 1);
}

double Seconds(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

}  // namespace

size_t DoorWatch::IndexOf(std::string_view method) {
  static_assert(kMethodNames.size() == kMethods);
  const auto* found = std::ranges::find(kMethodNames, method);
  return static_cast<size_t>(std::min(found, kMethodNames.end() - 1) - kMethodNames.begin());
}

size_t DoorWatch::BucketOf(std::chrono::nanoseconds duration) {
  return static_cast<size_t>(std::ranges::lower_bound(kBounds, Seconds(duration)) -
                             kBounds.begin());
}

void DoorWatch::OnEnd(const net::Exchange& exchange) {
  const std::string_view route = exchange.request.notes.route;
  std::unique_ptr<Counts>& slot =
      by_route_[route.empty() ? kNoRoute : route][IndexOf(exchange.request.method)];
  if (slot == nullptr) slot = std::make_unique<Counts>();
  Counts& counts = *slot;
  ++counts.by_class[ClassOf(exchange.status)];
  ++counts.by_duration[BucketOf(exchange.duration)];
  counts.duration += exchange.duration;
  counts.bytes_in += exchange.bytes_in;
  counts.bytes_out += exchange.bytes_out;
  log_.Note(door_, exchange);
}

std::vector<MetricFamily> RequestMetrics(const std::vector<const DoorWatch*>& doors) {
  MetricFamily requests{"levada_http_requests_total", MetricKind::kCounter,
                        "Requests by the class of their status, 501 (not implemented) by itself; "
                        "499 is a client that went away."};
  MetricFamily durations{"levada_http_request_duration_seconds", MetricKind::kHistogram,
                         "From the end of a request's header to the end of its answer."};
  MetricFamily in{"levada_http_received_bytes_total", MetricKind::kCounter,
                  "Headers and bodies of requests."};
  MetricFamily out{"levada_http_sent_bytes_total", MetricKind::kCounter,
                   "Headers and bodies of answers."};
  for (const DoorWatch* door : doors) {
    for (const auto& [route, by_method] : door->by_route_) {
      for (size_t method = 0; method < by_method.size(); ++method) {
        if (by_method[method] == nullptr) continue;
        const DoorWatch::Counts& counts = *by_method[method];
        const MetricSample sample{{{"door", std::string(door->door_)},
                                   {"route", std::string(route)},
                                   {"method", std::string(kMethodNames[method])}}};
        for (size_t i = 0; i < counts.by_class.size(); ++i) {
          if (counts.by_class[i] == 0) continue;
          MetricSample of_class = sample;
          of_class.labels.emplace_back("status", kClassNames[i]);
          of_class.value = static_cast<double>(counts.by_class[i]);
          requests.samples.push_back(std::move(of_class));
        }
        MetricSample& duration = durations.samples.emplace_back(sample);
        duration.histogram = {{DoorWatch::kBounds.begin(), DoorWatch::kBounds.end()},
                              {counts.by_duration.begin(), counts.by_duration.end()},
                              Seconds(counts.duration)};
        in.samples.emplace_back(sample).value = static_cast<double>(counts.bytes_in);
        out.samples.emplace_back(sample).value = static_cast<double>(counts.bytes_out);
      }
    }
  }
  return {std::move(requests), std::move(durations), std::move(in), std::move(out)};
}

std::vector<MetricFamily> ConnectionMetrics(const std::vector<DoorServer>& servers) {
  MetricFamily open{"levada_http_connections_open", MetricKind::kGauge, "Connections now."};
  MetricFamily total{"levada_http_connections_total", MetricKind::kCounter,
                     "Connections that were accepted."};
  MetricFamily active{"levada_http_requests_active", MetricKind::kGauge,
                      "Requests that are being answered now."};
  MetricFamily refused{"levada_http_requests_refused_total", MetricKind::kCounter,
                       "Requests that were malformed, too large or too slow."};
  for (const DoorServer& server : servers) {
    const auto add = [&server](MetricFamily& family, uint64_t value) {
      family.samples.push_back({{{"door", std::string(server.door)}}, static_cast<double>(value)});
    };
    add(open, server.counts.open);
    add(total, server.counts.connections);
    add(active, server.counts.active);
    add(refused, server.counts.refused);
  }
  return {std::move(open), std::move(total), std::move(active), std::move(refused)};
}

}  // namespace levada::services
