"""Metrics that go to a collector of OpenTelemetry by themselves, as the environment says."""

import datetime
import email.utils
import json
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import wait_until
from otlp_receiver import Receiver

SPACES = "/accounts/{account}/storage/kv/namespaces"
CUMULATIVE = 2


@pytest.fixture
def receivers():
    """Makes collectors and stops them."""
    made = []

    def make(*answers, **more):
        made.append(Receiver(*answers, **more))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def exporting(fresh, monkeypatch):
    """Starts a daemon with `OTEL_` variables: exporting(EXPORTER_OTLP_ENDPOINT=...)."""

    def start(*options, METRIC_EXPORT_INTERVAL="100", **variables):
        for name, value in {"METRIC_EXPORT_INTERVAL": METRIC_EXPORT_INTERVAL, **variables}.items():
            monkeypatch.setenv(f"OTEL_{name}", value)
        return fresh.start(*options)

    return start


def events(daemon, word):
    return [line for line in map(json.loads, filter(lambda l: l.startswith("{"), daemon.logged().splitlines()))
            if word in line["message"]]


def exports(receiver, count=1):
    return wait_until(lambda: len(receiver.exports) >= count and receiver.exports, f"{count} exports came")


def seen(export, name, labels):
    """As Export.value, and 0 of what was not counted yet."""
    points = [p for m in export.scope.metrics if m.name == name for p in m.sum.data_points]
    return sum(p.as_double for p in points if labels.items() <= {a.key: a.value.string_value for a in p.attributes}.items())


def test_metrics_come_as_they_are_shown(receivers, exporting):
    receiver = receivers()
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    space = daemon.v4("POST", SPACES, {"title": "s"}).result["id"]
    for i in range(20):
        daemon.v4("PUT", f"{SPACES}/{space}/values/{i}", b"v")
    put = {"door": "api", "route": SPACES + "/{namespace}/values/{key*}", "method": "PUT"}
    wait_until(lambda: receiver.exports and seen(receiver.exports[-1], "levada_http_requests_total", put) == 20, "all are exported")
    export = receiver.exports[-1]
    assert export.path == "/v1/metrics" and export.headers["Content-Type"] == "application/json"
    assert export.headers["User-Agent"].startswith("OTel-OTLP-Exporter-Levada/")
    assert export.scope.scope.name == "levada" and export.scope.scope.version
    requests = export.metric("levada_http_requests_total")
    assert requests.sum.is_monotonic and requests.sum.aggregation_temporality == CUMULATIVE
    assert export.metric("levada_disk_free_bytes").unit == "By" and export.metric("process_cpu_seconds_total").unit == "s"
    families = list(text_string_to_metric_families(daemon.request("GET", "/metrics").body.decode()))
    shown = {family.name + "_total" * (family.type == "counter"): family for family in families}
    exported = {metric.name: metric for metric in export.scope.metrics}
    assert exported.keys() == shown.keys()
    kinds = {"counter": "sum", "gauge": "gauge", "histogram": "histogram"}
    for name, family in shown.items():
        assert exported[name].WhichOneof("data") == kinds[family.type] and exported[name].description == family.documentation


def test_histograms_have_the_buckets_of_the_page(receivers, exporting):
    receiver = receivers()
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    for _ in range(7):
        daemon.v4("GET", "/user")
    labels = {"door": "api", "route": "/user", "method": "GET"}

    def point_of(export):
        points = export.metric("levada_http_request_duration_seconds").histogram.data_points
        return [p for p in points if {a.key: a.value.string_value for a in p.attributes} == labels]

    point, = wait_until(lambda: receiver.exports and [p for p in point_of(receiver.exports[-1]) if p.count == 7], "all were exported")
    page = daemon.request("GET", "/metrics").body.decode()
    family, = [f for f in text_string_to_metric_families(page) if f.name == "levada_http_request_duration_seconds"]
    mine = [s for s in family.samples if labels.items() <= s.labels.items()]
    buckets = [(float(s.labels["le"]), s.value) for s in mine if s.name.endswith("_bucket")]
    assert list(point.explicit_bounds) == [bound for bound, _ in buckets[:-1]]
    assert sum(point.bucket_counts) == point.count == buckets[-1][1]
    assert [sum(point.bucket_counts[:i + 1]) for i in range(len(buckets))] == [count for _, count in buckets]
    assert point.sum == pytest.approx([s.value for s in mine if s.name.endswith("_sum")][0])


def test_the_json_is_what_the_specification_wants(receivers, exporting):
    receiver = receivers()
    exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    first, second = exports(receiver, 2)[:2]
    metrics = first.json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    enums = [m[kind]["aggregationTemporality"] for m in metrics for kind in ("sum", "histogram") if kind in m]
    assert enums and set(enums) == {CUMULATIVE}, "no names of enums"
    points = [p for m in metrics for kind in ("sum", "gauge", "histogram") for p in m.get(kind, {}).get("dataPoints", [])]
    assert all(isinstance(p["timeUnixNano"], str) for p in points), "64 bits are texts"
    now = time.time_ns()
    for export in (first, second):
        for metric in export.scope.metrics:
            kind = metric.WhichOneof("data")
            for point in getattr(metric, kind).data_points:
                assert abs(now - point.time_unix_nano) < 300e9
                assert kind == "gauge" or now - 600e9 < point.start_time_unix_nano <= point.time_unix_nano
    name = "process_cpu_seconds_total"
    assert first.metric(name).sum.data_points[0].start_time_unix_nano == second.metric(name).sum.data_points[0].start_time_unix_nano
    assert second.value(name) >= first.value(name)


def test_who_speaks(receivers, exporting):
    receiver = receivers()
    exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    resource = exports(receiver)[0].resource
    assert resource["service.name"] == "levada" and resource["service.version"]
    assert len(resource["service.instance.id"]) == 36
    assert exports(receiver, 2)[1].resource == resource


def test_who_speaks_by_the_environment(receivers, exporting):
    receiver = receivers()
    exporting(EXPORTER_OTLP_METRICS_ENDPOINT=f"{receiver.url}/some/path?key=a", SERVICE_NAME="shop",
              RESOURCE_ATTRIBUTES="service.name=other,host.name=a%20b,service.instance.id=one",
              EXPORTER_OTLP_HEADERS="authorization=Bearer%20hunter2,x-scope=me")
    export = exports(receiver)[0]
    assert {"service.name": "shop", "host.name": "a b", "service.instance.id": "one"}.items() <= export.resource.items()
    assert export.path == "/some/path?key=a"
    assert (export.headers["Authorization"], export.headers["X-Scope"]) == ("Bearer hunter2", "me")


def test_no_key_is_logged(receivers, exporting):
    receiver = receivers((401, {}, b'{"message":"who are you"}'))
    daemon = exporting(EXPORTER_OTLP_METRICS_ENDPOINT=f"{receiver.url}/hunter2?hunter2", EXPORTER_OTLP_HEADERS="key=hunter2")
    event = wait_until(lambda: events(daemon, "do not reach"), "the failure is logged")[0]
    assert "401: who are you" in event["cause"]
    assert "hunter2" not in daemon.logged()


def test_the_interval_is_kept(receivers, exporting):
    receiver = receivers()
    exporting(METRIC_EXPORT_INTERVAL="500", EXPORTER_OTLP_ENDPOINT=receiver.url)
    times = [export.at for export in exports(receiver, 4)]
    assert all(later - earlier > 0.3 for earlier, later in zip(times, times[1:])), times


def test_nothing_is_exported_unless_an_endpoint_is_said(fresh, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    fresh.start()
    fresh.v4("GET", "/user")
    assert fresh.stop() == 0
    assert "export" not in fresh.logged()


@pytest.mark.parametrize("variables, word", [
    ({"EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/json"), ({"EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf"}, "http/json"),
    ({"METRICS_EXPORTER": "console"}, "console"), ({"EXPORTER_OTLP_METRICS_ENDPOINT": "collector:4318"}, "http://"),
    ({"EXPORTER_OTLP_HEADERS": "a b=c"}, "header"), ({"EXPORTER_OTLP_HEADERS": "a=b%0D%0Ac"}, "header"),
    ({"EXPORTER_OTLP_METRICS_ENDPOINT": "https://127.0.0.1:1", "EXPORTER_OTLP_CERTIFICATE": "/no/such/file"}, "/no/such/file"),
])
def test_what_cannot_be_done_is_said_and_the_daemon_serves(receivers, exporting, variables, word):
    receiver = receivers()
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url, **variables)
    event, = events(daemon, "metrics are not exported")
    assert word in json.dumps(event) and event["level"] == "warning"
    assert daemon.v4("GET", "/user").status == 200
    time.sleep(0.3)
    assert not receiver.attempts


@pytest.mark.parametrize("variables", [{"SDK_DISABLED": "true"}, {"METRICS_EXPORTER": "none"}])
def test_it_can_be_switched_off(receivers, exporting, variables):
    receiver = receivers()
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url, **variables)
    time.sleep(0.3)
    assert daemon.stop() == 0 and not receiver.attempts and "export" not in daemon.logged()


def test_odd_variables_are_said_and_left_out(receivers, exporting):
    receiver = receivers()
    daemon = exporting(METRIC_EXPORT_INTERVAL="soon", EXPORTER_OTLP_ENDPOINT=receiver.url, EXPORTER_OTLP_TIMEOUT="-1",
                       EXPORTER_OTLP_COMPRESSION="gzip", RESOURCE_ATTRIBUTES="what is this")
    for name in ("OTEL_METRIC_EXPORT_INTERVAL", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION",
                 "OTEL_RESOURCE_ATTRIBUTES"):
        assert len(events(daemon, name)) == 1, name
    assert daemon.stop() == 0
    assert len(receiver.exports) == 1, "the one of the end"


# ---- collectors that do not do as they should


def test_who_is_not_there_is_said_once_and_so_is_his_return(receivers, exporting):
    gone = receivers()
    gone.stop()
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=gone.url)
    wait_until(lambda: events(daemon, "do not reach"), "the failure is logged")
    for _ in range(10):
        assert daemon.v4("GET", "/user").status == 200
        time.sleep(0.05)
    back = receivers(port=gone.port)
    exports(back, 2)
    assert len(events(daemon, "do not reach")) == 1 and "refused" in events(daemon, "do not reach")[0]["cause"].lower()
    event, = events(daemon, "reach their collector again")
    assert event["failures"] > 1


def test_who_hangs_is_left_and_keeps_nobody_waiting(receivers, exporting):
    receiver = receivers("hang")
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url, EXPORTER_OTLP_TIMEOUT="300")
    wait_until(lambda: receiver.attempts, "an export has begun")
    begin = time.monotonic()
    for _ in range(20):
        assert daemon.v4("GET", "/user").status == 200
    assert time.monotonic() - begin < 5
    wait_until(lambda: len(receiver.attempts) > 2, "it is tried again")
    assert "no answer within 300 ms" in events(daemon, "do not reach")[0]["cause"]
    begin = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - begin < 10


def test_who_closes_without_an_answer_is_tried_again(receivers, exporting):
    receiver = receivers("close", "close", Receiver.OK)
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    exports(receiver)
    assert len(events(daemon, "do not reach")) == 1
    wait_until(lambda: events(daemon, "reach their collector again"), "that is logged")


@pytest.mark.parametrize("retry_after", ["2", "date"])
def test_who_says_when_is_left_alone_until_then(receivers, exporting, retry_after):
    if retry_after == "date":
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
        retry_after = email.utils.format_datetime(at, usegmt=True)
    receiver = receivers((503, {"Retry-After": retry_after}, b"{}"), Receiver.OK)
    exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    export = exports(receiver)[0]
    assert export.at - receiver.attempts[0] > 1.5


def test_who_has_too_much_to_do_is_tried_again_sooner_than_the_interval(receivers, exporting):
    receiver = receivers((429, {}, b""), (503, {}, b""), Receiver.OK)
    exporting(METRIC_EXPORT_INTERVAL="4000", EXPORTER_OTLP_ENDPOINT=receiver.url)
    export = exports(receiver)[0]
    first, second = receiver.attempts[:2]
    assert 0.4 < second - first < 3 and 0.9 < export.at - second < 3.9, "a second, then two, with less by chance"


def test_who_refuses_is_not_asked_again_before_the_interval_is_over(receivers, exporting):
    receiver = receivers((400, {}, b'{"message":"bad data"}'))
    daemon = exporting(METRIC_EXPORT_INTERVAL="1500", EXPORTER_OTLP_ENDPOINT=receiver.url)
    wait_until(lambda: len(receiver.attempts) > 1, "a second export")
    assert receiver.attempts[1] - receiver.attempts[0] > 1.2
    assert "bad data" in events(daemon, "do not reach")[0]["cause"]


def test_who_takes_a_part_is_said_once(receivers, exporting):
    receiver = receivers((200, {}, b'{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too old"}}'))
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    exports(receiver, 4)
    event, = events(daemon, "does not take all")
    assert (event["rejected"], event["cause"]) == (3, "too old")


def test_long_and_odd_answers_do_no_harm(receivers, exporting):
    receiver = receivers((500, {}, b"x" * 1_000_000), (200, {}, b"\xff" * 100), (302, {"Location": "http://127.0.0.1:1/"}, b""),
                         Receiver.OK)
    exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    exports(receiver, 3)


# ---- at the end, and over TLS


def test_the_last_counts_come_when_the_daemon_stops(receivers, exporting):
    receiver = receivers()
    daemon = exporting(METRIC_EXPORT_INTERVAL="600000", EXPORTER_OTLP_ENDPOINT=receiver.url)
    for _ in range(5):
        daemon.v4("GET", "/user")
    assert daemon.stop() == 0
    export, = receiver.exports
    assert export.value("levada_http_requests_total", route="/user") == 5


def test_who_hangs_at_the_end_delays_it_by_seconds(receivers, exporting):
    receiver = receivers("hang")
    daemon = exporting(METRIC_EXPORT_INTERVAL="600000", EXPORTER_OTLP_ENDPOINT=receiver.url)
    begin = time.monotonic()
    assert daemon.stop() == 0
    assert 1.5 < time.monotonic() - begin < 10


def authority(directory, name="authority"):
    """(certificate, key) of an authority, and of a server at 127.0.0.1 that it vouches for."""
    def run(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=directory)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("req", "-x509", *new_key, "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    run("req", *new_key, "-subj", "/CN=collector", "-keyout", "server.key", "-out", "server.csr")
    (directory / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    run("x509", "-req", "-in", "server.csr", "-CA", f"{name}.pem", "-CAkey", f"{name}.key", "-CAcreateserial", "-days", "2",
        "-extfile", "extensions", "-out", "server.pem")
    return directory / f"{name}.pem", (directory / "server.pem", directory / "server.key")


def test_over_tls_with_an_authority_of_ones_own(receivers, exporting, tmp_path):
    trusted, certificate = authority(tmp_path)
    receiver = receivers(certificate=certificate)
    exporting(EXPORTER_OTLP_ENDPOINT=receiver.url, EXPORTER_OTLP_CERTIFICATE=str(trusted))
    exports(receiver, 2)


def test_over_tls_a_stranger_gets_nothing(receivers, exporting, tmp_path):
    _, certificate = authority(tmp_path)
    receiver = receivers(certificate=certificate)
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url)
    event = wait_until(lambda: events(daemon, "do not reach"), "the failure is logged")[0]
    assert "not trusted" in event["cause"] and not receiver.attempts


def test_over_tls_another_host_gets_nothing(receivers, exporting, tmp_path):
    trusted, certificate = authority(tmp_path)
    receiver = receivers(certificate=certificate)
    daemon = exporting(EXPORTER_OTLP_ENDPOINT=receiver.url.replace("127.0.0.1", "localhost"), EXPORTER_OTLP_CERTIFICATE=str(trusted))
    event = wait_until(lambda: events(daemon, "do not reach"), "the failure is logged")[0]
    assert "not trusted" in event["cause"] and not receiver.attempts
