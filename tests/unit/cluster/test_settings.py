"""The environment becomes settings, or a sentence that names the variable."""

import json

import pytest
from external_data_operator.errors import SettingsError
from external_data_operator.settings import parse_settings

LEAST = {"EXTERNAL_DATA_NAMESPACE": "ops", "EXTERNAL_DATA_RUNNER_IMAGE": "runner:1"}
RULES = [
    {"namespaces": ["team-*"], "cidrs": ["10.0.0.0/8"]},
    {"namespaces": ["team-a"], "cidrs": ["192.168.1.7/24"]},
]


def test_the_least_environment_has_sound_defaults():
    settings = parse_settings({**LEAST, "EXTERNAL_DATA_WATCH_NAMESPACES": "", "HOME": "/root"})
    assert settings.workers == 8
    assert settings.watch_namespaces == ()
    assert settings.job_ttl_seconds >= 86_400
    assert settings.runner_resources.limits == {"memory": "1Gi"}


def test_every_variable_is_read():
    settings = parse_settings(
        {
            **LEAST,
            "EXTERNAL_DATA_DEFAULT_DESTINATION": json.dumps({"s3": {"bucket": "lake"}}),
            "EXTERNAL_DATA_REJECT_INLINE_CREDENTIALS": "true",
            "EXTERNAL_DATA_WATCH_NAMESPACES": "a, team-*",
            "EXTERNAL_DATA_RUNNER_IMAGE_PULL_SECRETS": '["registry"]',
            "EXTERNAL_DATA_RUNNER_RESOURCES": '{"requests": {"memory": "128Mi"}}',
        }
    )
    assert settings.default_destination.s3.bucket == "lake"
    assert settings.reject_inline_credentials is True
    assert settings.watch_namespaces == ("a", "team-*")
    assert settings.runner_image_pull_secrets == ("registry",)
    assert settings.runner_resources.requests == {"memory": "128Mi"}


@pytest.mark.parametrize(
    ("namespace", "cidrs"),
    [("team-a", ["10.0.0.0/8", "192.168.1.0/24"]), ("team-b", ["10.0.0.0/8"]), ("other", [])],
)
def test_private_hosts_are_open_by_namespace(namespace, cidrs):
    settings = parse_settings({**LEAST, "EXTERNAL_DATA_ALLOW_PRIVATE_HOSTS": json.dumps(RULES)})
    assert settings.private_cidrs(namespace) == cidrs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKERS", "many"),
        ("RUNNER_IMAGE_PULL_POLICY", "Sometimes"),
        ("ALLOW_PRIVATE_HOSTS", '[{"namespaces": ["*"], "cidrs": ["ten"]}]'),
        ("ALLOW_PRIVATE_HOSTS", "{"),
        ("DEFAULT_DESTINATION", '{"s3": {"bucket": "lake", "secret": "hush-hush"}}'),
        ("JOB_TTL_SECONDS", "60"),
    ],
)
def test_a_wrong_value_is_said_by_variable_and_not_repeated(name, value):
    with pytest.raises(SettingsError) as refused:
        parse_settings({**LEAST, f"EXTERNAL_DATA_{name}": value})
    assert f"EXTERNAL_DATA_{name}" in str(refused.value)
    assert "hush-hush" not in str(refused.value)


def test_a_missing_image_is_named():
    with pytest.raises(SettingsError, match="EXTERNAL_DATA_RUNNER_IMAGE: is required"):
        parse_settings({"EXTERNAL_DATA_NAMESPACE": "ops"})
