"""The chart grants what the operator does, and nothing else."""

from pathlib import Path

import yaml
from external_data_operator.cluster.kinds import ApiKinds
from external_data_operator.controllers import CONTROLLERS

RULES = Path(__file__).parents[3] / "helm/external-data-operator/templates/_rules.tpl"


def granted():
    lines = RULES.read_text().splitlines()
    rules = yaml.safe_load("\n".join(line for line in lines if not line.startswith("{{")))
    return {
        (group, resource): set(rule["verbs"])
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_the_chart_grants_just_the_verbs_that_the_operator_uses_on_each_kind():
    used = {(kind.group, kind.plural): set(kind.verbs) for kind in ApiKinds(CONTROLLERS).all}
    whole = {place: verbs for place, verbs in granted().items() if "/" not in place[1]}
    assert whole == used


def test_the_chart_grants_of_parts_of_objects_their_status_their_log_and_to_own_them():
    parts = {place[1]: verbs for place, verbs in granted().items() if "/" in place[1]}
    assert parts == {
        "externaldatasources/status": {"get", "patch"},
        "externaldataschemas/status": {"get", "patch"},
        "externaldatasources/finalizers": {"update"},
        "externaldataschemas/finalizers": {"update"},
        "pods/log": {"get"},
    }


def test_secrets_are_never_listed_or_watched():
    assert granted()["", "secrets"].isdisjoint({"list", "watch"})
