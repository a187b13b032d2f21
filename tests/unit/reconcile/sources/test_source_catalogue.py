"""What a check found stays known through crashes and hands of others, and goes when it is old."""

from dataclasses import replace
from datetime import timedelta

from external_data_operator.api.actions import ACTIONS
from external_data_operator.api.handoff import Document
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import Delete, labels_of, name_of
from external_data_operator.reconcile.sources.kept import find_catalogue, job_to_read

from tests.large_catalogue import build_catalogue
from tests.unit.reconcile.sources.source_life import checked, look, report
from tests.unit.reconcile.worlds import (
    NOW,
    applied,
    created_jobs,
    end_job,
    log_of,
    newest_job,
    seen,
    with_annotation,
)

LARGE = build_catalogue(hashed=True, tables=900)


def parts_of(world):
    maps = world.children.config_maps
    return [name_of(one) for one in maps if labels_of(one).get(marks.TASK_LABEL) == marks.CATALOGUE]


def without(world, name):
    maps = tuple(one for one in world.children.config_maps if name_of(one) != name)
    return replace(world, children=replace(world.children, config_maps=maps))


def without_jobs(world):
    return replace(world, children=replace(world.children, jobs=(), pods=()))


def test_a_large_catalogue_is_written_before_the_head_that_names_it():
    world = checked(found=LARGE)
    names = parts_of(world)
    assert len(names) >= 1
    assert len(find_catalogue(world).names) == len(LARGE.streams)
    asked = replace(
        world, source=with_annotation(world.source, ACTIONS["refresh-schemas"].annotation, "t1")
    )
    _, asked = look(asked)
    children = end_job(asked.children, at=NOW, report=report())
    logs = log_of(newest_job(children), Document.DISCOVERY, LARGE)
    decision, _ = look(replace(asked, children=children, logs=logs))
    written = [name_of(one) for one in applied(decision, "ConfigMap")]
    assert written == [*names, "shop-discovery"]


def test_a_part_that_somebody_deleted_comes_back_from_the_log_while_that_is_there():
    world = checked(found=LARGE)
    (part, *_) = parts_of(world)
    spoilt = without(world, part)
    assert find_catalogue(spoilt) is None
    job = newest_job(world.children)
    assert job_to_read(seen(spoilt)) == name_of(job)
    logs = log_of(job, Document.DISCOVERY, LARGE)
    _, mended = look(replace(spoilt, logs=logs))
    assert find_catalogue(mended) is not None


def test_a_part_that_somebody_deleted_is_asked_for_again_once_the_job_is_gone():
    world = without_jobs(checked(found=LARGE))
    decision, _ = look(world, NOW + timedelta(days=2))
    assert created_jobs(decision) == []
    decision, _ = look(without(world, parts_of(world)[0]), NOW + timedelta(days=2))
    assert len(created_jobs(decision)) == 1


def test_an_operator_that_died_between_a_part_and_the_head_writes_the_same_part_again():
    world = checked(found=LARGE)
    head = "shop-discovery"
    logs = log_of(newest_job(world.children), Document.DISCOVERY, LARGE)
    decision, after = look(replace(without(world, head), logs=logs))
    assert not [one for one in decision.intents if isinstance(one, Delete)]
    assert parts_of(after) == parts_of(world)
    assert find_catalogue(after) is not None


def test_parts_of_an_old_catalogue_go_once_the_head_names_others():
    old = checked(found=LARGE)
    asked = replace(
        old, source=with_annotation(old.source, ACTIONS["refresh-schemas"].annotation, "t1")
    )
    other = build_catalogue(hashed=True, tables=800)
    new = checked(asked, found=other)
    assert len(find_catalogue(new).names) == 800
    _, after = look(new)
    assert not set(parts_of(after)) & set(parts_of(old))
    assert find_catalogue(after) is not None
