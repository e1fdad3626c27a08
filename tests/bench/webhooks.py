"""A burst of webhooks while orders are being created: how soon each is answered, and that each payment counts once.

All that Razorpay reports of one hundred payments comes at once, some of it ten times, as after an outage. What is
measured is the answer, which says that the report is kept; the work on it comes later, and is awaited afterwards.
"""

import base64
import hashlib
import hmac
import http.client
import json
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from processes import Server, free_port
from stand import BIN, TOKEN_NAMES, Engine, gateway_env

WEBHOOKS = 1_000
PAYMENTS = 100
# Paise.
AMOUNT = 50_000
# How many of Razorpay's connections are open at once, and how many members top up meanwhile.
SENDERS = 64
BUYERS = 8
# The sandbox's account.
KEY = ("rzp_test_SandboxKey0001", "sandbox-key-secret")
WEBHOOK_SECRET = b"sandbox-webhook-secret"
# Seconds until all that was reported has to be credited.
PATIENCE = 120


class Caller:
    """One connection that stays open."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> dict:
        sent = {"Content-Type": "application/json"} if body else {}
        self.connection.request(method, path, body, sent | (headers or {}))
        response = self.connection.getresponse()
        answer = response.read()
        if not 200 <= response.status < 300:
            raise SystemExit(f"{method} {path} is answered {response.status}: {answer[:500]!r}")
        return json.loads(answer) if answer else {}


class Buyer(Caller):
    """A member who tops up."""

    def __init__(self, port: int, token: str):
        super().__init__(port)
        self.token = {"Authorization": f"Bearer {token}"}

    def order(self) -> str:
        """A new order's id at Razorpay."""
        body = json.dumps({"amount": AMOUNT}).encode()
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return self.call("POST", "/api/payments/order", body, self.token | key)["razorpayOrderId"]

    def available(self) -> int:
        return self.call("GET", "/api/wallet", headers=self.token)["available"]["amount"]


def paid(razorpay: Caller, order: str) -> dict:
    """Pays the order, and gives the payment as Razorpay shows it; it tells nobody itself."""
    body = json.dumps({"outcome": "success", "webhooks": False}).encode()
    payment = razorpay.call("POST", f"/control/orders/{order}/pay", body)["razorpay_payment_id"]
    login = base64.b64encode(":".join(KEY).encode()).decode()
    return razorpay.call("GET", f"/v1/payments/{payment}", headers={"Authorization": f"Basic {login}"})


def webhook(number: int, payment: dict) -> tuple[bytes, dict[str, str]]:
    """A report that the payment was captured, and its headers."""
    body = json.dumps({
        "entity": "event", "account_id": "acc_Sandbox0000001", "event": "payment.captured", "contains": ["payment"],
        "payload": {"payment": {"entity": payment}}, "created_at": int(time.time()),
    }).encode()
    signature = hmac.new(WEBHOOK_SECRET, body, hashlib.sha256).hexdigest()
    return body, {"X-Razorpay-Signature": signature, "X-Razorpay-Event-Id": f"evt_{number:014}"}


def at_once(workers: list[Callable[[], None]]) -> None:
    """Runs them side by side; the first that fails ends the measurement."""
    failures: list[BaseException] = []

    def run(worker: Callable[[], None]) -> None:
        try:
            worker()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def burst(gateway: Server, buyers: list[Buyer], webhooks: list[tuple[bytes, dict[str, str]]]) -> dict[str, float]:
    waiting, took, orders = iter(webhooks), [], []
    turn, over = threading.Lock(), threading.Event()

    def send() -> None:
        caller = Caller(gateway.port)
        while True:
            with turn:
                one = next(waiting, None)
            if one is None:
                over.set()
                return
            began = time.monotonic()
            caller.call("POST", "/api/payments/webhook", *one)
            took.append(time.monotonic() - began)

    def order(buyer: Buyer) -> None:
        while not over.is_set():
            began = time.monotonic()
            buyer.order()
            orders.append(time.monotonic() - began)

    began = time.monotonic()
    at_once([send] * SENDERS + [lambda buyer=buyer: order(buyer) for buyer in buyers])
    took.sort()
    return {
        "webhooks": len(took), "seconds": time.monotonic() - began, "p50_ms": took[len(took) // 2] * 1e3,
        "p99_ms": took[len(took) * 99 // 100] * 1e3, "slowest_ms": took[-1] * 1e3, "orders": len(orders),
        "slowest_order_ms": max(orders, default=0) * 1e3,
    }


def held_by(buyers: list[Buyer]) -> int:
    return sum(buyer.available() for buyer in buyers)


def await_credits(buyers: list[Buyer], before: int) -> float:
    """Seconds until every payment is credited; one that is credited twice ends the measurement."""
    began = time.monotonic()
    while (credited := held_by(buyers) - before) != PAYMENTS * AMOUNT:
        if credited > PAYMENTS * AMOUNT or time.monotonic() - began > PATIENCE:
            raise SystemExit(f"{PAYMENTS} payments of {AMOUNT} paise were reported, and {credited} paise credited")
        time.sleep(0.1)
    return time.monotonic() - began


def measure_webhooks(name: str) -> dict:
    with tempfile.TemporaryDirectory(prefix="dgt-bench.") as scratch, Engine(name, Path(scratch)) as engine:
        folder = Path(scratch)
        engine.seed(folder)
        command = [BIN / "bench_load", "--url", engine.url, "--listings", "0", "--sellers", str(BUYERS),
                   "--issuer", TOKEN_NAMES["issuer"], "--audience", TOKEN_NAMES["audience"]]
        loaded = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        tokens = [seller["token"] for seller in json.loads(loaded)["boosts"]["sellers"]]
        port, smtp = free_port(), free_port()
        env = {"DGT__SANDBOX__BIND": f"127.0.0.1:{port}", "DGT__SANDBOX__SMTP_BIND": f"127.0.0.1:{smtp}"}
        sandbox = Server([str(BIN / "sandbox")], port, folder, env, "/inbox")
        try:
            port = free_port()
            env = gateway_env(engine.url, port) | {"DGT__RAZORPAY__BASE_URL": f"http://127.0.0.1:{sandbox.port}"}
            gateway = Server([str(BIN / "gateway"), "serve"], port, folder, env, "/readyz")
            try:
                return one_burst(gateway, sandbox, tokens)
            finally:
                gateway.stop()
        finally:
            sandbox.stop()


def one_burst(gateway: Server, sandbox: Server, tokens: list[str]) -> dict[str, float]:
    buyers = [Buyer(gateway.port, token) for token in tokens]
    before = held_by(buyers)
    razorpay = Caller(sandbox.port)
    payments = [paid(razorpay, buyers[number % BUYERS].order()) for number in range(PAYMENTS)]
    webhooks = [webhook(number, payments[number % PAYMENTS]) for number in range(WEBHOOKS)]
    figures = burst(gateway, buyers, webhooks)
    return figures | {"credited_after_s": await_credits(buyers, before)}
