"""Whether there is a network, for what cannot be tried without one."""

from __future__ import annotations

from contextlib import suppress
from http.client import HTTPException
from threading import Event, Thread
from urllib.request import Request, build_opener

from assay.datasets.data import MNIST

SECONDS = 5.0


def reachable() -> bool:
    """Whether the host of the document's own data answers, which has tf_flowers and the ImageNet weights, too."""
    return answers(next(iter(MNIST.writers)))


def answers(url: str) -> bool:
    """Whether an address answers within `SECONDS`, through a proxy where the environment names one."""
    request = Request(url, method="HEAD")  # noqa: S310 - an address of ours
    good = Event()

    def ask() -> None:
        # A proxy whose name is invalid gives a ValueError.
        with suppress(OSError, HTTPException, ValueError), build_opener().open(request):
            good.set()

    # Looking a name up and trying its addresses one after the other have no time limit of their own.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(SECONDS)
    return good.is_set()
