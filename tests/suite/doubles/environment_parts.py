"""Parts of faults of the environment."""


def with_results(change):
    """Return a function whose results are changed."""
    return lambda right, *args: change(right(*args))
