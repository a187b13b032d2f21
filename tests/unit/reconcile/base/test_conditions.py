"""The contract that kstatus, Flux and Argo CD read, held for every world that can be thought of."""

from dataclasses import replace
from datetime import timedelta

import pytest
from external_data_operator.api.actions import ACTIONS
from external_data_operator.api.conditions import (
    ATTENTION,
    GOOD_NEWS,
    REMEDIES,
    RETRIED,
    RETRIED_SOMETIMES,
    SENTENCES,
    STALLING,
    ConditionType,
    Reason,
)
from external_data_operator.api.plan import Failure, FailureClass, Report, Task
from external_data_operator.reconcile.base.status import Claim, build_conditions
from external_data_operator.reconcile.base.world import Data
from external_data_operator.reconcile.schemas.decide import decide_schema
from external_data_operator.reconcile.sources.decide import decide_source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.reconcile.worlds import (
    NOW,
    SETTINGS,
    build_pod,
    build_schema,
    build_source,
    condition,
    end_job,
    later,
    make_ready,
    newest_job,
    observe_schema,
    observe_source,
    seen,
    step,
    with_annotation,
)

failures = st.builds(
    Failure,
    failure_class=st.sampled_from(FailureClass),
    reason=st.sampled_from(Reason),
    message=st.text(max_size=20),
)
reports = st.builds(
    Report,
    task=st.sampled_from(Task),
    run_id=st.just(""),
    result=st.just("Failed"),
    failure=failures,
)


def check_contract(status, generation):
    """What every status keeps to."""
    ready, stalled, reconciling = (
        condition(status, t) for t in ("Ready", "Stalled", "Reconciling")
    )
    assert ready is not None
    assert not (stalled and reconciling)
    assert not (stalled and ready["status"] == "True")
    assert all(one["status"] == "True" for one in (stalled, reconciling) if one)
    assert status["observedGeneration"] <= generation
    for one in status["conditions"]:
        assert one["reason"] in set(Reason)
        assert one["observedGeneration"] <= generation
        assert len(one["message"]) <= 4096
        assert "\n" not in one["message"]
    types = [one["type"] for one in status["conditions"]]
    assert len(types) == len(set(types))


def check_transitions(before, after, now):
    """A transition time changes with its status and never else."""
    for one in after["conditions"]:
        old = condition(before, one["type"])
        if old is not None and old["status"] == one["status"]:
            assert one["lastTransitionTime"] == old["lastTransitionTime"]
        else:
            assert one["lastTransitionTime"] == now.strftime("%Y-%m-%dT%H:%M:%SZ")


steps = st.lists(
    st.one_of(
        st.sampled_from(
            ["look", "pull", "succeed", "forget", "ask", "edit", "lose", "find", "die"]
        ),
        reports,
    ),
    max_size=12,
)


def disturb(world, what, number, own):
    """The next thing that happens."""
    children, item = world.children, getattr(world, own)
    if children.jobs and (isinstance(what, Report) or what in ("succeed", "die", "pull")):
        return replace(world, children=befall(children, what, later(minutes=number)))
    if what == "forget":
        return replace(world, children=replace(children, jobs=(), pods=()))
    if what == "ask":
        key = (
            ACTIONS["reload"].annotation
            if own == "schema"
            else ACTIONS["refresh-schemas"].annotation
        )
        return replace(world, **{own: with_annotation(item, key, str(number))})
    if what == "edit":
        meta = {**item["metadata"], "generation": item["metadata"]["generation"] + 1}
        return replace(world, **{own: {**item, "metadata": meta}})
    return lose_or_find(world, what, own)


def befall(children, what, at):
    """What becomes of the newest Job."""
    if what == "pull":
        return replace(children, pods=(build_pod(newest_job(children), waiting="ErrImagePull"),))
    if what == "die":
        return end_job(children, at=at, exit_code=137)
    fine = Report(task=Task.SYNC, run_id="", result="Succeeded")
    return end_job(children, at=at, report=fine if what == "succeed" else what)


def lose_or_find(world, what, own):
    """What is around the object comes and goes."""
    if own == "source" and what in ("lose", "find"):
        there = {"api": Data("1", frozenset({"token"}))} if what == "find" else {}
        return replace(world, secrets=there)
    if own == "schema" and what in ("lose", "find"):
        return replace(world, source=make_ready(build_source()) if what == "find" else None)
    return world


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(happenings=steps)
def test_a_sources_conditions_keep_the_contract_whatever_happens(happenings):
    world = observe_source()
    for number, what in enumerate(["look", *happenings]):
        world = disturb(world, what, number, "source")
        now = NOW + timedelta(minutes=number)
        decision = decide_source(seen(world), SETTINGS, now)
        check_contract(decision.status, world.source["metadata"]["generation"])
        check_transitions(world.source.get("status"), decision.status, now)
        world = step(world, decision, now)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(happenings=steps)
def test_a_schemas_conditions_keep_the_contract_whatever_happens(happenings):
    world = observe_schema(build_schema())
    for number, what in enumerate(["look", *happenings]):
        world = disturb(world, what, number, "schema")
        now = NOW + timedelta(minutes=number)
        decision = decide_schema(seen(world), SETTINGS, now)
        check_contract(decision.status, world.schema["metadata"]["generation"])
        check_transitions(world.schema.get("status"), decision.status, now)
        active = [job for job in world.children.jobs if "conditions" not in job.get("status", {})]
        made = [
            one for one in decision.intents if getattr(one, "manifest", {}).get("kind") == "Job"
        ]
        assert len(active) + len(made) <= 1, "no two runs of one table overlap"
        world = step(world, decision, now)


def test_every_reason_has_a_sentence():
    assert set(SENTENCES) == set(Reason)


def test_every_reason_that_is_not_good_news_has_a_remedy_and_no_other_has_one():
    assert set(REMEDIES) == set(Reason) - GOOD_NEWS


@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_a_remedy_begins_with_what_to_do_and_is_a_whole_sentence(reason):
    verbs = {"Add", "Check", "Choose", "Correct", "Create", "Exclude", "Follow", "Give", "Put",
             "Raise", "Read", "Rename", "Report", "Request", "Run", "Set", "Use",
             "Wait"}  # fmt: skip
    assert REMEDIES[reason].split()[0] in verbs
    assert REMEDIES[reason].endswith(".")


def test_what_stalls_needs_a_person_and_is_not_retried_by_itself():
    assert STALLING <= ATTENTION
    assert not STALLING & (RETRIED | RETRIED_SOMETIMES)
    assert not (RETRIED | RETRIED_SOMETIMES) & GOOD_NEWS


def test_what_nothing_retries_is_for_a_person_to_look_at():
    assert set(Reason) - GOOD_NEWS - RETRIED - RETRIED_SOMETIMES <= ATTENTION


def test_a_condition_that_is_no_longer_claimed_is_gone():
    claims = [Claim(ConditionType.STALLED, "True", Reason.INVALID_SPEC, "x")]
    stalled = build_conditions([], claims, generation=1, now=NOW)
    assert build_conditions(stalled, [], generation=2, now=NOW) == []
