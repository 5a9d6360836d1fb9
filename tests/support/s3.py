"""A real S3 server on loopback for tests: moto's, and what a test puts before it goes wrong."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from pyarrow.fs import FileSystem
from werkzeug.serving import make_server

KEY = "AKIAGOODGOODGOODGOOD"
REFUSAL = "<Error><Code>{code}</Code><Message>{code}</Message></Error>"
Fault = Callable[[str, str, str], int | None]


class S3:
    """Requests come with a method, a path and a query; `fault` may answer one with a status instead of the server."""

    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.fault: Fault = lambda method, path, query: None
        self.requests: list[tuple[str, str, str]] = []
        self.server = make_server("127.0.0.1", 0, self.answer, threaded=True, request_handler=QuietHandler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def env(self) -> dict[str, str]:
        """What the environment says to reach it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server.server_port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])
        self.requests.append(request)
        known = f"Credential={KEY}/" in environ.get("HTTP_AUTHORIZATION", "")
        status = self.fault(*request) if known else 403
        if status is None:
            return self.moto(environ, start_response)
        code = {403: "InvalidAccessKeyId", 503: "SlowDown"}.get(status, "InternalError")
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(f"{status} {code}", [("Content-Type", "application/xml")])
        return [REFUSAL.format(code=code).encode()]

    def new_url(self) -> str:
        """A prefix in a bucket of its own."""
        bucket = f"bucket-{uuid.uuid4().hex[:12]}"
        files, path = FileSystem.from_uri(f"s3://{bucket}?allow_bucket_creation=true")
        files.create_dir(path)
        return f"s3://{bucket}/studies/one"

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        self.fault = fault
        try:
            yield
        finally:
            self.fault = lambda method, path, query: None


class QuietHandler(MotoRequestHandler):
    def log(self, *words: object, **more: object) -> None:
        """Nothing on stderr for each request."""


@contextmanager
def serving() -> Iterator[S3]:
    """The server, and an environment that leads to it, in this process and in those that it starts."""
    before = dict(os.environ)
    s3 = S3()
    os.environ.update(s3.env)
    try:
        yield s3
    finally:
        os.environ.clear()
        os.environ.update(before)
        s3.server.shutdown()
