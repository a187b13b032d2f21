"""Clusters side by side never share a subnet, nor take one that the machine uses."""

import pytest

from dev.localcluster.errors import LocalClusterError
from dev.localcluster.network import Addresses, find_free_subnet, link_name


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        pytest.param([], "172.31.0", id="nothing-in-use"),
        pytest.param(["172.31.0.0/30"], "172.31.1", id="another-cluster"),
        pytest.param(["172.31.0.1"], "172.31.1", id="a-single-address"),
        pytest.param(["172.31.0.0/20"], "172.31.16", id="a-subnet-of-a-cloud"),
        pytest.param(["172.31.0.0/16", "0.0.0.0/1"], "172.31.0", id="wide-networks-do-not-count"),
        pytest.param(["fe80::/64"], "172.31.0", id="version-6-does-not-count"),
    ],
)
def test_the_first_free_subnet_is_taken(taken: list[str], expected: str) -> None:
    assert find_free_subnet(taken) == Addresses(host=f"{expected}.1", node=f"{expected}.2")


def test_a_machine_without_a_free_subnet_gets_a_remedy() -> None:
    with pytest.raises(LocalClusterError, match="end a cluster that you do not need"):
        find_free_subnet([f"172.31.{number}.0/24" for number in range(256)])


def test_the_cable_of_a_long_name_has_a_name_that_the_kernel_takes() -> None:
    names = {link_name("a" * 31), link_name("b"), link_name("demo")}
    assert len(names) == 3
    assert all(len(name) <= 15 for name in names)
