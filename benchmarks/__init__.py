"""Side by side with peers: the runner, a hand-written upper bound, and other tools do the same work
in turns.

`python -m benchmarks.run` starts every server that is needed, on loopback, and writes `results/`
and the tables of `docs/performance.md`. What is expensive to make (data, environments of peers) is
kept outside the repository.
"""
