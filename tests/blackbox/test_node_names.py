"""Nodes whose names are not their services'."""

import pytest
from cluster import Cluster
from rest import DEADLINE_S, fresh_phone, wait_until
from test_restore import sell

NODES = ["gateway", "till", "order", "kitchen", "ordertrace", "stamp"]
RUNS = {"till": "payment", "kitchen": "delivery"}


class NamedCluster(Cluster):
    """A till takes the payments, a kitchen delivers. `listed` says how the others name them."""

    def __init__(self, folder, listed):
        self.listed = listed
        super().__init__(folder, NODES)

    def options(self, name):
        host, port = self.hosts[name]
        peers = []
        for other, (peer_host, peer_port) in self.hosts.items():
            known_as = other if self.listed == "by name" else RUNS.get(other, other)
            if other != name:
                peers += ["--peer", f"{known_as}={peer_host}:{peer_port}"]
        return ["--services", RUNS.get(name, name), "--name", name, "--node", f"{host}:{port}",
                *peers]

    def wait_up(self, *names, seen_by="gateway"):
        return super().wait_up(*(names or ["order", "payment", "delivery", "stamp", "ordertrace"]),
                               seen_by=seen_by)


@pytest.mark.parametrize("listed", ["by name", "by services"])
def test_a_node_with_a_name_of_its_own_was_silently_never_found(tmp_path, listed):
    cluster = NamedCluster(tmp_path / "nodes", listed)
    with cluster:
        cluster.wait_whole()
        shop, phone = cluster.shop(), fresh_phone()
        for order_id in sell(shop, 2, phone):
            wait_until(lambda o=order_id: shop.inconsistency(o) is None, "it fits together")
        cluster.kill("kitchen")
        wait_until(
            lambda: cluster.health()["components"]["delivery"]["status"] == "DOWN",
            "its end is noticed",
            3 * DEADLINE_S,
        )
        cluster.again("kitchen")
        cluster.wait_whole()
        assert sell(shop, 1)
