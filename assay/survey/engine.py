"""Execution of tasks on Dask workers, in a local or an existing cluster."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from assay.errors import ErrorKind, UserError

Task = TypeVar("Task")
Result = TypeVar("Result")

CONNECT_SECONDS = 20
# A task is given up once it has ended this many workers. Other tasks are not affected.
MOST_WORKERS_LOST = 3


@dataclass(frozen=True)
class Done(Generic[Task, Result]):
    """A task that has ended.

    Attributes:
        task: The task.
        result: Result of the task; None if it failed.
        error: Reason for the failure; empty on success.

    """

    task: Task
    result: Result | None
    error: str = ""


class Engine:
    """A connection to workers."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - Dask is an optional extra
        """Use the workers of a Dask client."""
        self._client = client

    @property
    def workers(self) -> int:
        """The number of tasks that can run at the same time."""
        return max(1, sum(self._client.nthreads().values()))

    def run(
        self,
        work: Callable[[Task], Result],
        tasks: Iterable[Task],
        follow_up: Callable[[Done[Task, Result]], Task | None] = lambda _: None,
    ) -> Iterator[Done[Task, Result]]:
        """Run tasks, and yield each when it ends. If a worker is lost, its task is run on another worker.

        Args:
            work: Function that a worker can import.
            tasks: Arguments of `work`, one per call.
            follow_up: Function that returns a follow-up of a finished task, or None.

        """
        from distributed import as_completed  # noqa: PLC0415 - an optional extra

        pending = {self._submit(work, task): task for task in tasks}
        completed = as_completed(list(pending))
        for future in completed:
            task = pending.pop(future)
            error = "" if future.status == "finished" else _describe(future)
            done: Done[Task, Result] = Done(task, future.result() if not error else None, error)
            # Let the cluster drop the result.
            future.release()
            if (more := follow_up(done)) is not None:
                added = self._submit(work, more)
                pending[added] = more
                completed.add(added)
            yield done

    def _submit(self, work: Callable[[Task], Result], task: Task) -> Any:  # noqa: ANN401
        return self._client.submit(work, task, pure=False)


def _describe(future: Any) -> str:  # noqa: ANN401
    from distributed import KilledWorker  # noqa: PLC0415

    if future.status == "cancelled":
        return "the scheduler dropped it"
    error = future.exception()
    if isinstance(error, KilledWorker):
        return f"{MOST_WORKERS_LOST} workers or more ended while they ran it"
    return f"{type(error).__name__}: {error}"


@contextmanager
def connect(scheduler: str | None, processes: int) -> Iterator[Engine]:
    """Start a local cluster, or connect to a running one.

    Args:
        scheduler: Address of a running scheduler, such as `tcp://10.0.0.1:8786`; None for a local cluster.
        processes: Number of workers of a local cluster.

    Raises:
        UserError: Dask is not installed, or no worker can be reached.

    """
    try:
        import dask  # noqa: PLC0415 - an optional extra
        from distributed import Client, LocalCluster  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = f"this command needs the package {error.name!r}, which is not installed"
        raise UserError(
            ErrorKind.MISSING_PACKAGE, msg, "Install it with `pip install 'assay-conformance[survey]'`"
        ) from None
    # Lost workers and connections are reported once, at the end.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    settings = {
        "distributed.scheduler.allowed-failures": MOST_WORKERS_LOST,
        # A worker only waits for its process. It needs little memory, and must not be killed for its process's memory.
        "distributed.worker.daemon": True,
        "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
    }
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        if scheduler is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-dask-", ignore_cleanup_errors=True))
            cluster = LocalCluster(
                n_workers=processes,
                threads_per_worker=1,
                host="127.0.0.1",
                # A free port that is not reachable from outside this machine.
                dashboard_address="127.0.0.1:0",
                memory_limit=None,
                silence_logs=logging.CRITICAL,
                local_directory=folder,
            )
            stack.callback(_close, cluster)
            client = Client(cluster)
        else:
            client = _reach(Client, scheduler)
        stack.callback(_close, client)
        yield Engine(client)


def _reach(client: Callable[..., Any], scheduler: str) -> Any:  # noqa: ANN401
    try:
        reached = client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        msg = f"no scheduler answers at {scheduler}: {error}"
        raise UserError(
            ErrorKind.UNREACHABLE_WORKERS, msg, "Start one with `dask scheduler`, and give its address to --scheduler"
        ) from None
    try:
        reached.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        _close(reached)
        msg = f"the scheduler {scheduler} has no workers"
        raise UserError(
            ErrorKind.UNREACHABLE_WORKERS, msg, f"Start some with `dask worker {scheduler} --nthreads 1`"
        ) from None
    return reached


def _close(what: Any) -> None:  # noqa: ANN401
    # All results are stored, so errors on closing need no traceback.
    with suppress(Exception):
        what.close(timeout=5)
