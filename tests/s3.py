"""A server of the tests' own that speaks S3, and what the app is told to use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3:
    """A running server: its address, and variables for processes that use it."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        return {**KEYS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.url}

    @property
    def client(self) -> Any:
        """Another reader and writer than ours."""
        keys = {name.lower(): value for name, value in KEYS.items()}
        return boto3.client("s3", endpoint_url=self.url, region_name=REGION, **keys)

    def make_bucket(self, name: str) -> str:
        """Forget every bucket, make one, and return its address."""
        httpx.post(f"{self.url}/moto-api/reset").raise_for_status()
        self.client.create_bucket(Bucket=name)
        return f"s3://{name}"

    def names(self, bucket: str) -> list[str]:
        """Return what is in a bucket."""
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def check_keys(self, checked: bool) -> None:
        """Refuse keys that were never given out, or take any."""
        free = 0 if checked else 10**9
        httpx.post(f"{self.url}/moto-api/reset-auth", content=str(free)).raise_for_status()


@contextmanager
def running_s3() -> Iterator[S3]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3(f"http://{host}:{port}")
    server.stop()
