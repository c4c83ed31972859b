"""Whether a Ray cluster answers, asked before Ray is: `ray.init` waits minutes for one that does not, and hears no signal meanwhile."""

from __future__ import annotations

import os
import re
import socket
import threading

from .. import ClipError

DEADLINE = 10.0
"""Seconds in which somebody has to answer."""
ADDRESS = re.compile(r"(?:ray://)?(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):(?P<port>[0-9]{1,5})")
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How a client of HTTP/2 begins, gRPC's among them (RFC 9113, 3.4): the other side answers with a frame of its settings, of type 4."""


def check(address: str, *, deadline: float = DEADLINE) -> None:
    """ClipError unless somebody at `address` (HOST:PORT, ray://HOST:PORT or auto) answers as Ray's servers do, in `deadline` seconds."""
    place = _located(address)
    found = None if place is None else ADDRESS.fullmatch(place)
    if found is None:
        return  # Ray itself knows better, or says what is wrong with it
    said = ["no answer"]

    def ask() -> None:
        said[0] = _heard(found["host"].strip("[]"), int(found["port"]), deadline)

    thread = threading.Thread(target=ask, daemon=True)  # a name may take longer to look up than any time that a socket is given
    thread.start()
    thread.join(deadline)
    if said[0]:
        where = f"{address} ({place})" if address != place else address
        cure = "start one there with `ray start --head`, or correct --clip-executor"
        raise ClipError(f"no Ray cluster at {where}: {said[0]} within {deadline:g} s; {cure}")


def _located(address: str) -> str | None:
    """HOST:PORT of an address; None where only Ray knows. ClipError for `auto` where no cluster is known."""
    if address != "auto":
        return _as_ray(address)
    if named := os.environ.get("RAY_ADDRESS"):
        return _as_ray(named) if named not in ("auto", "local") else None
    try:
        from ray._private.services import canonicalize_bootstrap_address_or_die
    except ImportError:
        return None
    try:
        return str(canonicalize_bootstrap_address_or_die("auto"))
    except ConnectionError as error:
        told = str(error).splitlines()[0].partition(". ")[0]
        raise ClipError(f"no Ray cluster for auto: {told}; start one with `ray start --head`, or name it with RAY_ADDRESS") from None


def _as_ray(address: str) -> str:
    """Where Ray looks: for 127.0.0.1 at this machine's address in the network, where a server of the machine alone does not listen."""
    if not address.startswith(("127.", "localhost:", "[::1]:")):
        return address
    try:
        from ray._private.services import canonicalize_bootstrap_address

        return str(canonicalize_bootstrap_address(address) or address)
    except Exception:  # not this Ray's way; it is asked where it was said to be
        return address


def _heard(host: str, port: int, deadline: float) -> str:
    """What is wrong with the answer; nothing when it is right."""
    try:
        with socket.create_connection((host, port), timeout=deadline) as stream:
            if os.environ.get("RAY_USE_TLS", "").lower() in ("1", "true"):
                return ""  # what is said behind it is Ray's business
            stream.sendall(HELLO)
            heard = b""
            while len(heard) < 9:
                if not (part := stream.recv(9 - len(heard))):
                    return "it hangs up"
                heard += part
    except TimeoutError:
        return "no answer"
    except (OSError, OverflowError, UnicodeError) as error:
        return str(getattr(error, "strerror", None) or error)
    return "" if heard[3] == 4 else "something else than Ray answers"
