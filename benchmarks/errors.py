"""The one error of the benchmarks: something did not do the work that was to be timed."""


class BenchmarkError(Exception):
    """A contender failed, or did less than it was asked to; its time would mean nothing."""
