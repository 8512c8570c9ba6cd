"""A cluster of the version before, updated node by node to this one under load.

SKANU_EARLIER_BIN names the earlier program; `./dev test` builds it from the commit in the file
`earlier_version`.
"""

import os
import threading
from pathlib import Path

import pytest
from cluster import SERVICES, Cluster
from customers import ImpatientCustomer, check_customers, drive
from rest import COFFEE, fresh_phone, total, wait_until
from support import BINARY

EARLIER = os.environ.get("SKANU_EARLIER_BIN", "")
GATEWAYS = ["gateway", "gateway-2"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(EARLIER).is_file(), reason="SKANU_EARLIER_BIN names no program"),
]


class AgingCluster(Cluster):
    """Starts with the earlier program on every node."""

    def __init__(self, folder, nodes):
        super().__init__(folder, nodes)
        for server in self.nodes.values():
            server.program = [EARLIER]

    def client(self, node="gateway", **options):
        """Unjudged: the earlier program answers as its own description says."""
        return super().client(node, **{"judged": False, **options})

    def update(self, name):
        self.nodes[name].stop()
        self.nodes[name].program = [str(BINARY)]
        self.again(name)
        for gateway in GATEWAYS:
            self.wait_up(seen_by=gateway)


def change_under_conditions(cluster):
    """Preconditions are understood between nodes of two versions, through every gateway."""
    for gateway in GATEWAYS:
        with cluster.client(gateway) as client:
            path = client.post("/orders", COFFEE).expect(201).header("Location")
            client.delete(path, {"If-Match": '"77"'}).expect(412)
            etag = client.get(path).expect(200).header("ETag")
            client.delete(path, {"If-Match": etag}).expect(204)


def test_a_cluster_is_updated_node_by_node_without_a_failed_request(tmp_path):
    stop, common_phone = threading.Event(), fresh_phone()
    with AgingCluster(tmp_path / "nodes", [*GATEWAYS, *SERVICES]) as cluster:
        for gateway in GATEWAYS:
            cluster.wait_whole(seen_by=gateway)
        with cluster.client() as client:
            before, placed = total(client, "orders"), []
        customers = [
            ImpatientCustomer(n, cluster, GATEWAYS[n % 2 :] + GATEWAYS[: n % 2], common_phone, stop)
            for n in range(8)
        ]

        def requests():
            return sum(c.requests for c in customers)

        def update_all():
            for name in [*SERVICES, *GATEWAYS]:
                cluster.update(name)
                done = requests()
                wait_until(lambda: requests() > done + 200 or stop.is_set(), "requests go on")
                change_under_conditions(cluster)
                placed.extend(GATEWAYS)

        drive(customers, update_all, stop)
        with cluster.client() as client:
            assert total(client, "orders") - before == len(placed) + sum(
                len(c.records) for c in customers
            )
        check_customers(cluster.shop(), customers)
        for name in SERVICES:
            assert "not_understood" not in cluster[name].stderr()
            assert "undecodable" not in cluster[name].stderr()
