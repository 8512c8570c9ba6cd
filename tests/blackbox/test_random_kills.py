"""kill -9 at random moments under concurrent load, against the clients' own record (invariant 7).

SKANU_KILLS sets how many times (default 5), SKANU_SEED repeats a run; the seed is printed first.
"""

import os
import random
import threading
import time

import pytest
from customers import Customer, check_customers, drive
from rest import fresh_phone

KILLS = int(os.environ.get("SKANU_KILLS", "5"))
SEED = int(os.environ.get("SKANU_SEED", time.time_ns() % 2**32))
CUSTOMERS = 8


@pytest.mark.slow
def test_random_kills_lose_nothing_that_was_acknowledged(serve):
    print(f"SKANU_SEED={SEED} SKANU_KILLS={KILLS}")
    chance, stop, common_phone = random.Random(SEED), threading.Event(), fresh_phone()
    server = serve()
    customers = [
        Customer(chance.getrandbits(32), server, common_phone, stop) for _ in range(CUSTOMERS)
    ]

    def kill_again_and_again():
        for _ in range(KILLS):
            stop.wait(chance.uniform(0.05, 1.0))
            server.kill().restart()
        stop.wait(0.2)

    drive(customers, kill_again_and_again, stop)
    check_customers(server.shop(), customers)
