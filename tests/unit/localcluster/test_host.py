"""A machine that cannot carry a cluster is told what is missing and how to go on."""

import os
from pathlib import Path

import pytest

from dev.localcluster.backends import choose_backend
from dev.localcluster.cluster import all_names, home_of
from dev.localcluster.endpoints import Endpoints, find_endpoints, write_endpoints
from dev.localcluster.errors import LocalClusterError
from dev.localcluster.given import find_named_images, find_own_address, start
from dev.localcluster.host import find_missing_programs, require_programs, require_root
from dev.localcluster.s3 import S3Access, create_access


def test_missing_programs_are_found_with_the_packages_that_have_them() -> None:
    assert find_missing_programs({"sh": "dash", "no-such-thing": "thing"}) == {
        "no-such-thing": "thing"
    }


def test_a_machine_without_apt_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalClusterError, match=r"no-such-thing are missing.*from thing"):
        require_programs({"no-such-thing": "thing"})


def test_another_user_than_root_is_told_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LocalClusterError, match=r"needs root.*EXTERNAL_DATA_KUBECONFIG"):
        require_root()


def test_a_named_cluster_goes_before_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTERNAL_DATA_KUBECONFIG", "/somewhere")
    assert choose_backend() == "given"


def test_plain_processes_are_taken_where_kind_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXTERNAL_DATA_KUBECONFIG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_backend() == "plain"


def test_a_kubeconfig_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTERNAL_DATA_KUBECONFIG", str(tmp_path / "nothing"))
    with pytest.raises(LocalClusterError, match="nothing, which is no file"):
        start("x", tmp_path)


def test_images_for_a_cluster_elsewhere_have_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTERNAL_DATA_OPERATOR_IMAGE", "one:1")
    monkeypatch.delenv("EXTERNAL_DATA_RUNNER_IMAGE", raising=False)
    with pytest.raises(LocalClusterError, match="EXTERNAL_DATA_RUNNER_IMAGE"):
        find_named_images()
    monkeypatch.setenv("EXTERNAL_DATA_RUNNER_IMAGE", "two:1")
    assert find_named_images() == {"operator": "one:1", "runner": "two:1"}


def test_the_address_towards_this_machine_is_its_loopback() -> None:
    assert find_own_address("https://127.0.0.1:6443") == "127.0.0.1"


@pytest.mark.parametrize("name", ["", "Upper", "1st", "a" * 32, "../x", "a_b"])
def test_a_name_that_could_leave_the_folder_of_clusters_is_refused(name: str) -> None:
    with pytest.raises(LocalClusterError, match="no name for a cluster"):
        home_of(name)


def test_endpoints_are_read_back_as_written_and_only_by_their_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTERNAL_DATA_CACHE", str(tmp_path))
    home = home_of("x")
    assert find_endpoints(home) is None
    home.mkdir(parents=True)
    endpoints = Endpoints(
        "x", "plain", "/k", "/c", "/h", "1.1.1.1", "1.1.1.2", S3Access("e", "a", "s")
    )
    write_endpoints(home, endpoints)
    assert find_endpoints(home) == endpoints
    assert (home / "cluster.json").stat().st_mode & 0o077 == 0
    assert all_names() == ["x"]


def test_each_s3_server_has_keys_of_its_own() -> None:
    one, other = create_access("127.0.0.1"), create_access("127.0.0.1")
    assert one.endpoint == other.endpoint == "http://127.0.0.1:8333"
    assert one.access_key != other.access_key
    assert one.secret_key != other.secret_key
