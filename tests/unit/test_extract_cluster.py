"""A cluster that nobody answers for is said once, in seconds."""

from __future__ import annotations

import argparse
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from pytest_clip import ClipError
from pytest_clip.extract import cluster
from pytest_clip.extract.rays import Rays
from pytest_clip.plugin import checks


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers below listen on this machine alone."""
    monkeypatch.setattr(cluster, "_as_ray", lambda address: address)


def test_an_address_of_this_machine_is_asked_where_ray_looks_for_it(monkeypatch):
    services = pytest.importorskip("ray._private.services")
    monkeypatch.undo()
    monkeypatch.setattr(services, "canonicalize_bootstrap_address", lambda address: "10.9.8.7:" + address.partition(":")[2])
    assert cluster._as_ray("127.0.0.1:6379") == "10.9.8.7:6379"
    assert cluster._as_ray("head:6379") == "head:6379"


@pytest.fixture
def serve() -> Iterator:
    """A server on this machine that answers every connection with some bytes and keeps it open."""
    over, threads = threading.Event(), []

    def start(answer: bytes | None, *, hang_up: bool = False) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        server.settimeout(0.05)

        def run() -> None:
            with ExitStack() as held:
                held.enter_context(server)
                while not over.is_set():
                    with suppress(OSError):
                        stream = held.enter_context(server.accept()[0])
                        if answer:
                            stream.sendall(answer)
                        if hang_up:
                            stream.recv(len(cluster.HELLO))
                            stream.shutdown(socket.SHUT_RDWR)

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    over.set()
    for thread in threads:
        thread.join(5)


def refused(address: str, deadline: float = 1.0) -> str:
    began = time.monotonic()
    with pytest.raises(ClipError, match="no Ray cluster") as error:
        cluster.check(address, deadline=deadline)
    assert time.monotonic() - began < deadline + 2
    return str(error.value)


SETTINGS = bytes([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100])


def test_who_answers_as_ray_does_passes(serve):
    cluster.check(serve(SETTINGS))
    cluster.check(f"ray://{serve(SETTINGS)}")


def test_who_does_not_is_one_sentence(serve, monkeypatch):
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    told = f"no Ray cluster at 127.0.0.1:{port}: Connection refused within 1 s; start one there with `ray start --head`, or correct "
    assert refused(f"127.0.0.1:{port}").startswith(told)
    assert ": no answer within 0.5 s; " in refused(serve(None), 0.5)
    assert ": something else than Ray answers within" in refused(serve(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert ": it hangs up within" in refused(serve(None, hang_up=True))
    assert "no Ray cluster at 127.0.0.1:99999: " in refused("127.0.0.1:99999")
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    assert refused("auto").startswith(f"no Ray cluster at auto (127.0.0.1:{port}): Connection refused")


def test_a_name_that_takes_long_to_look_up_takes_no_longer_than_the_deadline(monkeypatch):
    def lookup(*args: object, **kwargs: object) -> None:
        time.sleep(1)
        raise OSError("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert "no answer within 0.3 s" in refused("somewhere:6379", 0.3)


def test_with_tls_only_the_connection_is_tried(serve, monkeypatch):
    monkeypatch.setenv("RAY_USE_TLS", "1")
    cluster.check(serve(None))


@pytest.mark.parametrize("text", ["ray:", "ray:HOST", "ray:http://h:1", "ray:h:x", "ray:h:1:2", "ray: h:1", "local:h:1", "rays"])
def test_what_is_no_executor(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"is no executor; write local|is no address of a cluster; write ray:auto"):
        checks.executor(text)


@pytest.mark.parametrize(
    "text", ["local", "ray", "ray:auto", "ray:10.0.0.1:6379", "ray:head.local:6379", "ray:[::1]:6379", "ray:ray://h:10001"]
)
def test_what_is_an_executor(text):
    pytest.importorskip("ray")
    assert checks.executor(text) == text


def test_a_cluster_that_did_not_answer_is_not_asked_again(monkeypatch):
    pytest.importorskip("ray")
    asked = []

    def check(address: str) -> None:
        asked.append(address)
        raise ClipError("no Ray cluster at h:1: no answer")

    monkeypatch.setattr(cluster, "check", check)
    rays = Rays(address="h:1")
    model = argparse.Namespace(fingerprint="0", label="m")
    for _ in range(3):
        with pytest.raises(ClipError, match="no Ray cluster at h:1: no answer"):
            rays._crew(model)  # type: ignore[arg-type]
    assert asked == ["h:1"]
