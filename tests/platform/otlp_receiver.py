"""A collector that takes metrics as OTLP/HTTP with JSON, reads them with the protobuf classes of OpenTelemetry itself, and behaves
as badly as a test wants."""

import http.server
import json
import ssl
import threading
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


class Export:
    """One request: `headers`, `json` as it was sent, and `message`, what the protobuf classes make of it."""

    def __init__(self, headers, path, body):
        self.headers, self.path, self.at = headers, path, time.monotonic()
        self.json = json.loads(body)
        # A field that the messages do not have is an error.
        self.message = json_format.Parse(body, ExportMetricsServiceRequest(), ignore_unknown_fields=False)

    @property
    def resource(self):
        resource, = self.message.resource_metrics
        return {each.key: each.value.string_value for each in resource.resource.attributes}

    @property
    def scope(self):
        scope, = self.message.resource_metrics[0].scope_metrics
        return scope

    def metric(self, name):
        found, = [metric for metric in self.scope.metrics if metric.name == name]
        return found

    def value(self, name, **labels):
        """The sum of a counter's or a gauge's points with these attributes."""
        metric = self.metric(name)
        points = getattr(metric, metric.WhichOneof("data")).data_points
        fit = [p.as_double for p in points if labels.items() <= {a.key: a.value.string_value for a in p.attributes}.items()]
        assert fit, (name, labels)
        return sum(fit)


class Receiver:
    """Answers `answers` one after the other, and then the last one for ever: (status, headers, body), or "hang" or "close"."""

    OK = (200, {}, b'{"partialSuccess":{}}')

    def __init__(self, *answers, port=0, certificate=None):
        self.answers, self.exports, self.attempts = list(answers) or [self.OK], [], []
        self.gate = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self.server.daemon_threads = True
        scheme = "http"
        if certificate:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def handler(receiver):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.attempts.append(time.monotonic())
                answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if answer == "hang":
                    receiver.gate.wait(60)
                if isinstance(answer, str):
                    self.close_connection = True
                    return
                status, headers, text = answer
                if status == 200:
                    receiver.exports.append(Export(self.headers, self.path, body))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        return Handler

    def stop(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
