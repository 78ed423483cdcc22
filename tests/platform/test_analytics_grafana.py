"""What the Altinity plugin for ClickHouse sends from Grafana, at the SQL door: the requests of its frontend, through Grafana's proxy,
and of its backend, which does alerts and the health check; what its macros become; and what it reads out of the answers.

Its source says how: github.com/Altinity/clickhouse-grafana, src/datasource/request-options.ts and sql-query/sql-query-macros.ts for
the frontend, pkg/client.go for the backend, src/views/QueryEditor for the editor's questions about databases and columns. What
Cloudflare's own door answers to those is no documented matter: it has no databases, and no plugin's editor needs them.
"""

import json
import time
import urllib.parse

import pytest

from conftest import daemon_of
from test_analytics import AT, LIBRARY, Analytics, needs_engine

pytestmark = needs_engine
NOW = int(time.time())
FROM, TO = NOW - 3600, NOW + 3600


@pytest.fixture(scope="module")
def served():
    with daemon_of("--analytics-library", str(LIBRARY)) as daemon:
        analytics = Analytics(daemon.start())
        points = [{"indexes": [city], "blobs": [city, "it's"], "doubles": [10 * i], "timestamp": (NOW - 60 * i) * 1000}
                  for i in range(6) for city in ("lis", "opo")]
        analytics.write("probes", points).result
        analytics.write("pro-bes", points[:2]).result
        analytics.wait_for("probes", 12)
        analytics.wait_for('"pro-bes"', 2)
        yield analytics


def encoded(query):
    """As encodeURIComponent does it."""
    return urllib.parse.quote(query, safe="!~*'()")


class Plugin:
    """The settings of Cloudflare's guide: the address of the SQL door, no database, and a header of one's own."""

    def __init__(self, served):
        self.daemon = served.daemon
        self.path = f"/client/v4{AT}/sql".replace("{account}", served.daemon.account)
        self.headers = {"Authorization": f"Bearer {served.daemon.token}", "User-Agent": "Grafana/11.3.0", "Accept": "application/json, text/plain, */*"}

    def send(self, method, target, body=None, headers=None):
        return self.daemon.request(method, target, body, {**self.headers, **(headers or {})}, token="")

    def get(self, query, *parameters):
        return self.send("GET", f"{self.path}/?" + "&".join([f"query={encoded(query)} FORMAT JSON".replace(" ", "%20"), *parameters]),
                         headers={"Accept-Encoding": "gzip, deflate, br"})

    def post(self, query, *parameters):
        target = self.path + ("/?" + "&".join(parameters) if parameters else "")
        return self.send("POST", target, (query + " FORMAT JSON").encode(), {"Content-Type": "application/json"})

    def backend(self, query, **headers):
        """An alert, or the health check. Go's client asks for gzip by itself."""
        return self.send("POST", self.path, query.encode(), {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip", **headers})

    def every(self, query):
        return {"get": self.get(query), "post": self.post(query), "backend": self.backend(query + " FORMAT JSON")}


@pytest.fixture(scope="module")
def plugin(served):
    return Plugin(served)


def read(answer):
    """What the plugin cannot do without: `meta` with a name and a type of every column, and rows as objects."""
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json"), answer
    assert "Content-Encoding" not in answer.headers
    told = answer.json()
    names = [column["name"] for column in told["meta"]]
    assert all(column["type"] for column in told["meta"]) and told["rows"] == len(told["data"])
    assert all(list(row) == names for row in told["data"])
    return told


def series(told):
    """As toTimeSeries makes them: the first column is the time in milliseconds, GROUP BY names a series, the rest are values."""
    time_name = told["meta"][0]["name"]
    made = {}
    for row in told["data"]:
        key = ", ".join(value for value in row.values() if isinstance(value, str) and not value.isdigit()) or "value"
        made.setdefault(key, []).append((int(row[time_name]), float(list(row.values())[-1])))
    return made


# ---- requests


@pytest.mark.parametrize("parameters", [
    [], ["add_http_cors_header=1"], ["enable_http_compression=1", "add_http_cors_header=1"],
    ["output_format_json_quote_64bit_integers=1"], ["database=default", "enable_http_compression=1"]], ids=" ".join)
def test_parameters_of_clickhouse_change_nothing(plugin, parameters):
    for answer in (plugin.get("SELECT count() AS n FROM probes", *parameters), plugin.post("SELECT count() AS n FROM probes", *parameters)):
        assert read(answer)["data"] == [{"n": "12"}]


@pytest.mark.parametrize("query", ["SELECT 1", "SELECT 1;"])
def test_the_health_check(plugin, query):
    if query.endswith(";"):
        answers = [plugin.backend("SELECT 1 FORMAT JSON;")]
    else:
        answers = plugin.every(query).values()
    for answer in answers:
        assert [list(row.values()) for row in read(answer)["data"]] == [[1]]


def test_whoever_is_not_let_in_is_told(served, plugin):
    """Basic authentication and ClickHouse's own headers are no tokens; beside one they do no harm."""
    basic = {"Authorization": "Basic ZGVmYXVsdDpwYXNzd29yZA=="}
    key = {"X-ClickHouse-User": "default", "X-ClickHouse-Key": served.daemon.token}
    for headers in (basic, {**basic, **key}):
        answer = plugin.send("POST", plugin.path, b"SELECT 1 FORMAT JSON", headers)
        assert answer.status in (400, 401) and answer.error[2], answer
    without = {name: value for name, value in plugin.headers.items() if name != "Authorization"}
    answer = served.daemon.request("POST", plugin.path, b"SELECT 1 FORMAT JSON", {**without, **key}, token="")
    assert answer.status in (400, 401), answer
    assert read(plugin.backend("SELECT 1 FORMAT JSON", **key))["rows"] == 1
    reader = served.daemon.issue("analytics:read")["token"]
    assert read(plugin.backend("SELECT 1 FORMAT JSON", Authorization=f"Bearer {reader}"))["rows"] == 1
    other = served.daemon.issue("kv:read")["token"]
    assert plugin.backend("SELECT 1 FORMAT JSON", Authorization=f"Bearer {other}").status == 403


def test_a_mistake_is_a_line_of_text(plugin):
    """The plugin shows the body of what is not 200 as it is."""
    for answer in plugin.every("SELECT blob21 FROM probes").values():
        assert answer.status == 422 and answer.headers["Content-Type"].startswith("text/plain"), answer
        assert "blob21" in answer.body.decode() and b"\n" not in answer.body.strip()


# ---- what macros become

TIME_FILTER = f"timestamp >= toDateTime({FROM}) AND timestamp <= toDateTime({TO})"
TIME_FILTER_MS = f"timestamp >= toDateTime({FROM}000/1000) AND timestamp <= toDateTime({TO}999/1000)"
AVERAGE = "SUM(_sample_interval * double1) / SUM(_sample_interval)"
TIMES = {
    "$timeSeries": "(intDiv(toUInt32(timestamp), 60) * 60) * 1000",
    "$timeSeriesMs": "(intDiv(toUInt32(timestamp) * 1000, 60000) * 60000)",
    "$naturalTimeSeries of minutes": "toUInt32(timestamp) * 1000",
    "$naturalTimeSeries of hours": "toUInt32(toStartOfMinute(timestamp)) * 1000",
    "$naturalTimeSeries of days": "toUInt32(toStartOfFifteenMinutes(timestamp)) * 1000",
    "$naturalTimeSeries of weeks": "toUInt32(toStartOfHour(timestamp)) * 1000",
    "$naturalTimeSeries of months": "toUInt32(toStartOfDay(timestamp)) * 1000",
}


@pytest.mark.parametrize("macro", TIMES)
@pytest.mark.parametrize("time_filter", [TIME_FILTER, TIME_FILTER_MS], ids=["$timeFilter", "$timeFilterMs"])
def test_series_over_time(plugin, macro, time_filter):
    query = f"SELECT\n    {TIMES[macro]} as t,\n    blob1 AS city,\n    {AVERAGE} AS value\nFROM probes\n\nWHERE {time_filter}\n" \
            "GROUP BY t, city\n\nORDER BY t, city"
    shown = [series(read(answer)) for answer in plugin.every(query).values()]
    assert shown[0] == shown[1] == shown[2] and set(shown[0]) == {"lis", "opo"}
    for points in shown[0].values():
        assert points == sorted(points) and all(abs(at / 1000 - NOW) < 2 * 86400 and at % 1000 == 0 for at, _ in points)
    assert sum(value for _, value in shown[0]["lis"]) == (150 if len(shown[0]["lis"]) == 6 else pytest.approx(25 * len(shown[0]["lis"]), abs=100))


def test_the_series_of_cloudflares_guide(plugin):
    query = "SELECT\n    $timeSeries AS t,\n    blob1 AS label,\n    SUM(_sample_interval * double1) / SUM(_sample_interval) AS average_metric\n" \
            "FROM probes\nWHERE $timeFilter\nGROUP BY blob1, t\nORDER BY t"
    expanded = query.replace("$timeSeries", TIMES["$timeSeries"]).replace("$timeFilter", TIME_FILTER)
    by_hand = "SELECT intDiv(toUInt32(timestamp), 60) * 60 AS t, blob1 AS label, SUM(_sample_interval * double1) / SUM(_sample_interval) AS average_metric " \
              "FROM probes WHERE timestamp <= NOW() AND timestamp > NOW() - INTERVAL '1' DAY GROUP BY blob1, t ORDER BY t"
    told = read(plugin.get("/* grafana dashboard=Probes of all, user=1 */ " + expanded))
    assert [column["name"] for column in told["meta"]] == ["t", "label", "average_metric"]
    assert [int(row["t"]) // 1000 for row in told["data"]] == [int(row["t"]) for row in read(plugin.post(by_hand))["data"]]


@pytest.mark.parametrize("prefix", ["/* grafana dashboard=Probes, user=1 */\n", "/* grafana dashboard='it''s -- \"all\"', user='4' */ ",
                                    "/* grafana alerts rule=a1b2 query=A */ ", "-- by hand\n"])
def test_comments_before_a_query(plugin, prefix):
    for answer in plugin.every(prefix + "SELECT count() AS n FROM probes").values():
        assert read(answer)["data"] == [{"n": "12"}]


def test_filters_of_dashboards(plugin):
    count = lambda condition: int(read(plugin.get(f"SELECT count() AS n FROM probes WHERE {TIME_FILTER} AND {condition}"))["data"][0]["n"])
    assert count("blob1 = 'lis'") == 6, "an ad hoc filter, or $variable"
    assert count("blob1 IN ('lis','opo')") == 12, "$variable of several values"
    assert count("blob1 LIKE '%'") == 12, "$__searchFilter"
    assert count("double1 > 20 AND index1 != 'opo'") == 3


def test_variables_and_annotations(plugin):
    assert [row["dataset"] for row in read(plugin.get("SHOW TABLES"))["data"]] == ["pro-bes", "probes"]
    assert read(plugin.get("SELECT blob1 AS __text, count() AS __value FROM probes GROUP BY blob1 ORDER BY blob1"))["data"] == [
        {"__text": "lis", "__value": "6"}, {"__text": "opo", "__value": "6"}]
    told = read(plugin.post("SELECT toUInt32(timestamp) * 1000 AS time, blob1 AS text, blob2 AS tags FROM probes ORDER BY time LIMIT 1"))
    assert told["data"][0]["text"] in ("lis", "opo") and int(told["data"][0]["time"]) == (NOW - 300) * 1000
    assert read(plugin.get('SELECT count() AS n FROM "pro-bes"'))["data"] == read(plugin.get("SELECT count() AS n FROM `pro-bes`"))["data"]


# ---- what there is none of, as with Cloudflare

REFUSED = {
    "$columns": (f"SELECT t, groupArray((c, a)) AS groupArr FROM ( SELECT {TIMES['$timeSeries']} AS t, blob1 c, avg(double1) a FROM probes "
                 f"WHERE {TIME_FILTER} GROUP BY t, c ORDER BY t, c) GROUP BY t ORDER BY t", "no tuples"),
    "$rate": (f"SELECT t, n/runningDifference(t/1000) nRate FROM ( SELECT {TIMES['$timeSeries']} AS t, count() AS n FROM probes WHERE {TIME_FILTER} "
              "GROUP BY t ORDER BY t)", "AS before an alias"),
    "$rate with AS": ("SELECT t, n/runningDifference(t/1000) AS nRate FROM (SELECT 1 AS t, 2 AS n)", "runningDifference"),
    "$increase": (f"SELECT t, if(runningDifference(max_0) < 0, 0, runningDifference(max_0)) AS max_0_Increase FROM ( SELECT {TIMES['$timeSeries']} AS t, "
                  f"max(double1) AS max_0 FROM probes WHERE {TIME_FILTER} GROUP BY t ORDER BY t)", "runningDifference"),
    "$delta": (f"SELECT t, runningDifference(max_0) AS max_0_Delta FROM ( SELECT {TIMES['$timeSeries']} AS t, max(double1) AS max_0 FROM probes "
               f"WHERE {TIME_FILTER} GROUP BY t ORDER BY t)", "runningDifference"),
    "$lttb": ("SELECT lttb(10)(timestamp, double1) AS l FROM probes", "lttb"),
    "$timeSeries of DateTime64": ("SELECT (intDiv(toFloat64(timestamp) * 1000, 60000) * 60000) AS t FROM probes", "toFloat64"),
    "$naturalTimeSeries of a day": ("SELECT toUInt32(toStartOfFiveMinute(timestamp)) * 1000 AS t FROM probes", "toStartOfFiveMinute"),
    "$table with a database": ("SELECT count() AS n FROM default.probes", "no databases"),
    "window functions": ("SELECT lagInFrame(double1) OVER (ORDER BY timestamp) AS l FROM probes", "window functions"),
    "the editor's databases": ("SELECT name FROM system.databases ORDER BY name", "no databases"),
    "the editor's tables": ("SELECT name FROM system.tables WHERE database = 'default' ORDER BY name", "no databases"),
    "the editor's columns": ("SELECT name text, type value FROM system.columns WHERE database = 'default' AND table = 'probes'", "AS before an alias"),
    "the editor's times": ("SELECT name FROM system.columns WHERE database = 'default' AND table = 'probes' AND (substring(type,1,8) = 'DateTime' OR "
                           "substring(type,10,8) = 'DateTime') AND (substring(type,1,10) != 'DateTime64' OR substring(type,10,10) != 'DateTime64')"
                           "ORDER BY name", "no databases"),
    "the editor's words": ("\nSELECT DISTINCT arrayJoin(extractAll(name, '[\\\\w_]{2,}')) AS completion, color \nFROM (\n  SELECT name, 'identifier' AS color "
                           "FROM system.functions \n  UNION ALL \n  SELECT name, 'keyword' AS color FROM system.formats\n) WHERE notEmpty(completion) "
                           "LIMIT 10000\n", "GROUP BY"),
    "keys of ad hoc filters": ("SELECT database, table, name, type FROM system.columns WHERE database NOT IN ('system','INFORMATION_SCHEMA') "
                               "ORDER BY database, table", "no databases"),
    "values of ad hoc filters": ("SELECT DISTINCT blob1 AS value FROM default.probes LIMIT 300", "GROUP BY"),
    "an escaped quote": ("SELECT count() AS n FROM probes WHERE blob2 = 'it\\'s'", "two quotes"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_refused_in_words(plugin, what):
    query, word = REFUSED[what]
    for answer in plugin.every(query).values():
        said = answer.body.decode()
        assert answer.status == 422 and said.startswith("Input was invalid: ") and word in said, answer
    print(f"{what}: {said.strip()}")


def test_the_backend_does_without_a_timezone(plugin):
    """It asks for it when a column is a DateTime, and takes UTC for anything but an answer with that column."""
    answer = plugin.backend("SELECT timezone() FORMAT JSON;")
    assert answer.status == 422 or [list(row) for row in read(answer)["data"]] == [["timezone()"]]
    told = read(plugin.backend("SELECT timestamp, double1 FROM probes ORDER BY timestamp LIMIT 1 FORMAT JSON"))
    assert told["meta"][0]["type"].startswith("DateTime")
    assert told["data"][0]["timestamp"] == time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(NOW - 300))
