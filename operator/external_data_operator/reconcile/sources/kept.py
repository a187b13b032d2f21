"""What checks leave behind: the catalogue of the last that succeeded, their Jobs and plans."""

from collections.abc import Iterable, Mapping

from external_data_operator.api.plan import Task
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import (
    Apply,
    Create,
    Delete,
    Intent,
    Object,
    annotations_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from external_data_operator.reconcile.plans.catalogue import (
    Catalogue,
    discovery_name,
    find_object_names,
    read_catalogue,
)
from external_data_operator.reconcile.runs.run import RunState, read_runs
from external_data_operator.reconcile.sources.observed import ObservedSource

CHECK = Task.CHECK.lower()
_KEEP_FINISHED = 3


def find_catalogue(observed: ObservedSource) -> Catalogue | None:
    """What the last check found; None if nothing is kept, or some of it is missing."""
    return read_catalogue(_find_head(observed), observed.children.config_maps)


def _find_head(observed: ObservedSource) -> Object | None:
    wanted = discovery_name(name_of(observed.source))
    return next((one for one in observed.children.config_maps if name_of(one) == wanted), None)


def find_kept(observed: ObservedSource) -> Mapping[str, str]:
    """The annotations of the kept catalogue, which name its question and its check."""
    head = _find_head(observed)
    if head is None or find_catalogue(observed) is None:
        return {}
    return annotations_of(head)


def job_to_read(observed: ObservedSource) -> str | None:
    """The check whose output has not been kept yet; its log is worth reading."""
    kept = find_kept(observed).get(marks.RUN)
    done = [run for run in read_runs(observed.children, CHECK) if run.state is RunState.SUCCEEDED]
    return done[-1].job if done and done[-1].uid != kept else None


def forgotten(observed: ObservedSource, coming: Iterable[Intent]) -> list[Intent]:
    """Checks that are over and too many, and what nothing needs any more: plans of checks, parts of
    catalogues. What is `coming` needs its own."""
    runs = read_runs(observed.children, CHECK)
    over = [run for run in runs if not run.active][:-_KEEP_FINISHED]
    namespace = namespace_of(observed.source)
    intents: list[Intent] = [Delete("batch/v1", "Job", namespace, run.job, run.uid) for run in over]
    needed = {run.job for run in runs if run.active or run is runs[-1]}
    needed |= {name_of(one.manifest) for one in coming if isinstance(one, Apply | Create)}
    needed |= set(find_object_names(_find_head(observed)))
    for one in observed.children.config_maps:
        task = labels_of(one).get(marks.TASK_LABEL)
        ours = task == marks.CATALOGUE or (task == CHECK and bool(runs))
        if ours and name_of(one) not in needed:
            intents.append(Delete("v1", "ConfigMap", namespace, name_of(one), uid_of(one)))
    return intents
