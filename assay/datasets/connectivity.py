"""Detection of a network connection."""

from __future__ import annotations

from contextlib import suppress
from http.client import HTTPException
from threading import Event, Thread
from urllib.request import Request, build_opener

from assay.datasets.data import MNIST

SECONDS = 5.0


def reachable() -> bool:
    """Whether the host of the document's data answers, which also has tf_flowers and the ImageNet weights."""
    return answers(next(iter(MNIST.writers)))


def answers(url: str) -> bool:
    """Whether an address answers within `SECONDS`, through the environment's proxy if any."""
    request = Request(url, method="HEAD")  # noqa: S310 - our own address
    good = Event()

    def ask() -> None:
        # An invalid proxy name raises a ValueError.
        with suppress(OSError, HTTPException, ValueError), build_opener().open(request):
            good.set()

    # Name resolution and the attempts at several addresses have no time limit.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(SECONDS)
    return good.is_set()
