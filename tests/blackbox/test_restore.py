"""A restored backup, or lost data: lost changes are reported, and no answered id is given again."""

import shutil

import pytest
from clock import clock_at, needs_a_faked_clock
from cluster import NODES, SERVICES, Cluster
from rest import COFFEE, DEADLINE_S, PREPARE, fresh_phone, wait_until
from restoring import backup, put_in_place, sell
from support import Server, assert_sound, audit, skanu


class TestOneProcess:
    def test_what_came_after_the_backup_is_gone_and_no_id_is_given_twice(self, tmp_path):
        data, copy = tmp_path / "data", tmp_path / "copy"
        with Server(data) as server:
            before = sell(server.shop(), 3)
            backup(data, copy)
            after = sell(server.shop(), 3)
        put_in_place(copy, data)
        with Server(data) as server:
            shop, client = server.shop(), server.client()
            for order_id in before:
                assert shop.inconsistency(order_id) is None
            for order_id in after:
                for path in ("orders", "payments", "deliveries", "orderTraces"):
                    client.get(f"/{path}/{order_id}").expect(404)
            new = sell(shop, 3)
            assert not set(new) & {*before, *after}
            assert max(new) < 2**53
            wait_until(lambda: "event=started_from_backup" in server.stderr(), "it is said")
            assert_sound(data)

    def test_a_backup_that_is_restored_twice_gives_other_ids_each_time(self, tmp_path):
        data, copy = tmp_path / "data", tmp_path / "copy"
        with Server(data) as server:
            given = {*sell(server.shop(), 1)}
        backup(data, copy)
        for _ in range(3):
            put_in_place(copy, data)
            with Server(data) as server:
                new = sell(server.shop(), 2)
            assert not given & {*new}
            given.update(new)

    @needs_a_faked_clock
    def test_a_clock_that_is_behind_the_backup_gives_no_id_again(self, tmp_path):
        data, copy = tmp_path / "data", tmp_path / "copy"
        with Server(data, env=clock_at("+2d")) as server:
            sell(server.shop(), 1)
            done = skanu("backup", "--data", data, "--to", copy, env=clock_at("+2d"))
            assert done.returncode == 0, done.stderr
            given = {*sell(server.shop(), 2)}
        put_in_place(copy, data)
        refused = skanu("serve", "--http", "127.0.0.1:0", "--data", data)
        assert refused.returncode == 2
        assert "the clock says" in refused.stderr and "the backup was taken at" in refused.stderr
        with Server(data, env=clock_at("+3d")) as server:
            assert not given & {*sell(server.shop(), 2)}

    def test_a_restored_run_that_crashes_settles_what_was_under_way_in_the_backup(self, tmp_path):
        data, copy = tmp_path / "data", tmp_path / "copy"
        with Server(data, "--fault", "crash-at=placement.payment-open:2") as server:
            shop = server.shop()
            shop.place()
            with pytest.raises(Exception):
                shop.place()
            server.wait_dead()
        backup(data, copy)
        put_in_place(copy, data)
        with Server(data) as server:
            sell(server.shop(), 1)
            server.kill()
        with Server(data) as server:
            sell(server.shop(), 1)
        assert assert_sound(data)["pending"] == 0

    @pytest.mark.parametrize("lost", ["lmdb", "delivery.sqlite3"])
    def test_a_lost_database_is_not_begun_anew_in_silence(self, tmp_path, lost):
        data = tmp_path / "data"
        with Server(data) as server:
            sold = sell(server.shop(), 2)
        for part in data.glob(lost + "*"):
            shutil.rmtree(part) if part.is_dir() else part.unlink()
        refused = skanu("serve", "--http", "127.0.0.1:0", "--data", data)
        assert refused.returncode == 2
        assert lost in refused.stderr and "--restored" in refused.stderr
        assert refused.stderr.count("\n") == 1 or "event=" in refused.stderr
        with Server(data, "--restored") as server:
            assert not {*sold} & {*sell(server.shop(), 1)}

    def test_a_lost_delivery_database_is_made_again_from_the_payments(self, tmp_path):
        data = tmp_path / "data"
        with Server(data) as server:
            sold = sell(server.shop(), 2)
            server.shop().deliver(sold[0])
        for part in data.glob("delivery.sqlite3*"):
            part.unlink()
        with Server(data, "--restored") as server:
            shop = server.shop()
            for order_id in sold:
                shop.wait_delivery(order_id, PREPARE)
            wait_until(
                lambda: "event=log_forked consumer=order-follows-delivery" in server.stderr(),
                "the fork is said",
            )
            shown = wait_until(
                lambda: server.client()
                .get("/actuator/health")
                .expect(200)
                .json()["components"]
                .get("order-follows-delivery"),
                "health shows it",
            )
            assert shown["details"] == {"reason": "log-forked"}
        _, report = audit(data)
        assert {f["log"] for f in report["forks"]} == {"delivery"}
        # After acceptance only the audit still names the fork.
        with Server(data, "--restored") as server:
            components = server.client().get("/actuator/health").expect(200).json()["components"]
            assert "order-follows-delivery" not in components
            assert server.stderr().count("event=restored_accepted") == 2, "each start says it"
        with Server(data) as server:
            assert server.stderr().count("event=restored_accepted") == 2

    def test_an_older_lmdb_beside_a_newer_delivery_database_is_refused(self, tmp_path):
        data, older = tmp_path / "data", tmp_path / "older"
        with Server(data) as server:
            sell(server.shop(), 1)
        shutil.copytree(data, older)
        with Server(data) as server:
            sell(server.shop(), 2)
            server.kill()  # leaves the block of ids used up to here
        with Server(data) as server:
            for _ in range(600):
                server.shop().paid_order()
            last = sell(server.shop(), 1)[0]
        shutil.rmtree(data / "lmdb")
        shutil.copytree(older / "lmdb", data / "lmdb")
        refused = skanu("serve", "--http", "127.0.0.1:0", "--data", data)
        assert refused.returncode == 2
        assert "ids would be given twice" in refused.stderr
        with Server(data, "--restored") as server:
            assert sell(server.shop(), 1)[0] > last

    def test_ids_of_orders_that_nobody_paid_were_given_again_by_an_older_lmdb(self, tmp_path):
        data, older = tmp_path / "data", tmp_path / "older"
        with Server(data) as server:
            sell(server.shop(), 3)
        shutil.copytree(data / "lmdb", older)
        with Server(data) as server:
            given = [server.shop().place() for _ in range(3)]
            wait_until(
                lambda: server.audit()[1]["lag"]["delivery-follows-order"] == 0,
                "the kitchen has looked at the orders",
            )
        shutil.rmtree(data / "lmdb")
        shutil.copytree(older, data / "lmdb")
        refused = skanu("serve", "--http", "127.0.0.1:0", "--data", data)
        assert refused.returncode == 2
        assert "ids would be given twice" in refused.stderr and "--restored" in refused.stderr
        with Server(data, "--restored") as server:
            assert not {*given} & {*sell(server.shop(), 3)}
        with Server(data) as server:
            sell(server.shop(), 1)

    def test_databases_of_two_directories_do_not_belong_together(self, tmp_path):
        one, other = tmp_path / "one", tmp_path / "other"
        for data in (one, other):
            with Server(data) as server:
                sell(server.shop(), 1)
        shutil.rmtree(one / "lmdb")
        shutil.copytree(other / "lmdb", one / "lmdb")
        for options in ([], ["--restored"]):
            refused = skanu("serve", "--http", "127.0.0.1:0", "--data", one, *options)
            assert refused.returncode == 2
            assert "do not belong together" in refused.stderr


class TestOneNode:
    def test_sales_after_a_restored_payment_node_are_prepared_traced_and_earn_stamps(
        self, cluster, tmp_path
    ):
        shop, phone, copy = cluster.shop(), fresh_phone(), tmp_path / "copy"
        sell(shop, 3, phone)
        payment = cluster["payment"]
        backup(payment.data, copy)
        lost = sell(shop, 3, phone)
        shop.wait_stamps(phone, 6 * COFFEE["qty"])
        payment.kill()
        put_in_place(copy, payment.data)
        payment.start()
        cluster.wait_whole()
        sold = sell(shop, 4, phone)
        shop.wait_stamps(phone, 10 * COFFEE["qty"])
        for order_id in sold:
            assert shop.inconsistency(order_id) is None
        # The answer, the log, health, metrics and the audit report the loss.
        for order_id in lost:
            shop.client.get(f"/payments/{order_id}").expect(404)
        for node in ("delivery", "stamp", "ordertrace"):
            follower = cluster[node]
            wait_until(
                lambda f=follower: f"event=log_forked consumer={f.data.name}-follows-payment"
                in f.stderr(),
                f"{node} says that the log forked",
            )
            components = follower.client().get("/actuator/health").expect(200).json()["components"]
            name = f"{node}-follows-payment"
            assert components[name] == {"status": "DOWN", "details": {"reason": "log-forked"}}
            metrics = follower.client().get("/actuator/prometheus").expect(200).body.decode()
            assert f'skanu_log_lost_events{{consumer="{name}",log="payment"}}' in metrics
        cluster.stop()
        status, report = audit(cluster.folder)
        assert status == 1
        assert {f["consumer"] for f in report["forks"]} == {
            "delivery-follows-payment",
            "stamp-follows-payment",
            "ordertrace-follows-payment",
        }
        assert {v["id"] for v in report["violations"] if v["invariant"] == 1} == {*lost}

    def test_an_order_node_with_an_older_directory_gives_no_id_again(self, cluster, tmp_path):
        shop, older, order = cluster.shop(), tmp_path / "older", cluster["order"]
        sell(shop, 1)
        order.stop()
        shutil.copytree(order.data, older)
        order.start()
        cluster.wait_whole()
        given = {*sell(shop, 3)}
        order.kill()
        put_in_place(older, order.data)
        order.start()
        cluster.wait_up()

        def refused():
            answer = shop.client.post("/orders", COFFEE).expect(503)
            return answer.json()["type"] == "/problems/data-too-old"

        wait_until(refused, "orders are refused", DEADLINE_S)
        components = order.client().get("/actuator/health").expect(200).json()["components"]
        assert components["order"] == {"status": "DOWN", "details": {"reason": "data-too-old"}}
        wait_until(lambda: "event=data_too_old" in order.stderr(), "the log says so")
        # The operator confirms the present data.
        order.stop()
        order.restart(*order.arguments, "--restored")
        cluster.wait_whole()
        new = {*sell(shop, 3)}
        assert not new & given
        for order_id in new:
            assert shop.inconsistency(order_id) is None

    def test_an_order_node_with_an_empty_directory_is_of_another_cluster(self, cluster):
        shop, order = cluster.shop(), cluster["order"]
        given = {*sell(shop, 3)}
        order.kill()
        shutil.rmtree(order.data)
        order.start()
        wait_until(
            lambda: "it belongs to another cluster" in cluster["payment"].stderr()
            and "it belongs to another cluster" in order.stderr(),
            "both sides say why they do not talk",
        )
        assert shop.client.post("/orders", COFFEE).status == 503
        order.stop()
        shutil.rmtree(order.data)
        order.restart(*order.arguments, "--restored")
        cluster.wait_whole()
        new = {*sell(shop, 2)}
        assert not new & given
        for order_id in new:
            assert shop.inconsistency(order_id) is None

    def test_a_gateway_that_met_a_stranger_first_finds_its_own_cluster_again(self, cluster):
        order = cluster["order"]
        wait_until(
            lambda: all("event=cluster_joined" in cluster[n].stderr() for n in SERVICES[1:]),
            "all know their cluster",
        )
        cluster.wait_whole()
        for name in NODES:
            cluster.kill(name)
        shutil.rmtree(order.data)
        cluster.start("order", "gateway")
        cluster.wait_up("order")
        cluster.start("payment", "stamp")
        wait_until(
            lambda: "it belongs to another cluster" in cluster["gateway"].stderr(),
            "the gateway takes the stranger's side",
        )
        order.stop()
        shutil.rmtree(order.data)
        cluster.start("delivery", "ordertrace")
        order.restart(*order.arguments, "--restored")
        cluster.wait_whole()

    @pytest.mark.parametrize("name", ["delivery", "stamp", "ordertrace"])
    def test_a_node_that_follows_others_catches_up_from_its_backup(self, cluster, tmp_path, name):
        shop, phone, copy = cluster.shop(), fresh_phone(), tmp_path / "copy"
        before = sell(shop, 2, phone)
        shop.wait_stamps(phone, 2 * COFFEE["qty"])
        backup(cluster[name].data, copy)
        after = sell(shop, 2, phone)
        cluster.kill(name)
        put_in_place(copy, cluster[name].data)
        cluster.again(name)
        cluster.wait_whole()
        after += sell(shop, 1, phone)
        shop.wait_stamps(phone, 5 * COFFEE["qty"])
        for order_id in before + after:
            shop.wait_consistent(order_id)
        cluster.stop()
        if name != "delivery":  # its events are lost, but seen by the trace
            cluster.assert_sound()

    def test_an_order_whose_payment_is_lost_is_cancelled_by_a_dead_letter(self, cluster):
        shop, payment = cluster.shop(), cluster["payment"]
        lost = sell(shop, 1)[0]
        payment.kill()
        shutil.rmtree(payment.data)
        payment.start()
        cluster.wait_whole()
        shop.cancel_order(lost)

        def letters():
            with cluster.operator("payment") as client:
                listed = client.get("/admin/deadLetters").expect(200).json()
                return listed["_embedded"]["deadLetters"]

        wait_until(lambda: [x for x in letters() if x["entity"] == lost], "payment says so")
        payment.client().get("/actuator/health").expect(200)
        for node in ("delivery", "stamp", "ordertrace"):
            wait_until(
                lambda n=node: f"event=log_forked consumer={n}-follows-payment"
                in cluster[n].stderr(),
                f"{node} says that the log forked",
            )

    def test_a_stamp_node_with_an_empty_directory_says_that_entries_by_hand_are_gone(self, cluster):
        shop, phone, stamp = cluster.shop(), fresh_phone(), cluster["stamp"]
        sell(shop, 2, phone)
        shop.wait_stamps(phone, 2 * COFFEE["qty"])
        shop.client.post("/stamps", {"phoneNumber": phone, "stampQty": 5}).expect(200, 201)
        shop.wait_stamps(phone, 2 * COFFEE["qty"] + 5)
        for node in cluster.nodes.values():
            assert "event=directory_is_new" not in node.stderr()
        stamp.kill()
        shutil.rmtree(stamp.data)
        stamp.start()
        cluster.wait_whole()
        shop.wait_stamps(phone, 2 * COFFEE["qty"])
        wait_until(
            lambda: "event=directory_is_new service=stamp" in stamp.stderr(), "the log says so"
        )

    def test_a_node_of_another_cluster_is_refused_by_name(self, cluster, tmp_path):
        other = Cluster(tmp_path / "other")
        with other:
            sell(other.shop(), 1)
        stamp = cluster["stamp"]
        stamp.kill()
        put_in_place(other["stamp"].data, stamp.data)
        stamp.start()
        wait_until(
            lambda: "peer=stamp" in cluster["gateway"].stderr()
            and "it belongs to another cluster" in cluster["gateway"].stderr(),
            "the gateway says why it refuses it",
        )


class TestWholeCluster:
    def test_what_came_after_the_backup_is_gone_and_the_rest_fits_together(self, tmp_path):
        cluster, copy = Cluster(tmp_path / "cluster"), tmp_path / "copy"
        phone = fresh_phone()
        with cluster:
            before = sell(cluster.shop(), 3, phone)
            backup(cluster.folder, copy)
            after = sell(cluster.shop(), 3, phone)
        for name in SERVICES:
            put_in_place(copy / name, cluster[name].data)
        with cluster:
            cluster.wait_whole()
            shop = cluster.shop()
            for order_id in before:
                shop.wait_consistent(order_id)
            for order_id in after:
                shop.client.get(f"/orders/{order_id}").expect(404)
            new = sell(shop, 2, phone)
            assert not {*new} & {*before, *after}
            shop.wait_stamps(phone, 5 * COFFEE["qty"])
            for node in cluster.nodes.values():
                assert "event=log_forked" not in node.stderr()
