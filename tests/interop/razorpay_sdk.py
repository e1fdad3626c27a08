"""Razorpay's own Python SDK against the sandbox: orders, payments, refunds, errors, and signatures both ways."""

import json
import os
import sys
import threading
import time
import traceback
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import razorpay
from razorpay.errors import BadRequestError, GatewayError, ServerError, SignatureVerificationError

SANDBOX = os.environ["SANDBOX_URL"]
KEY = (os.environ["DGT__SANDBOX__RAZORPAY_KEY_ID"], os.environ["DGT__SANDBOX__RAZORPAY_KEY_SECRET"])
WEBHOOK_SECRET = os.environ["DGT__SANDBOX__RAZORPAY_WEBHOOK_SECRET"]


def client(auth=KEY):
    return razorpay.Client(auth=auth, base_url=SANDBOX)


def control(path, body):
    request = urllib.request.Request(f"{SANDBOX}/control{path}", data=json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def refused(kind, description, action):
    try:
        action()
    except kind as error:
        assert str(error) == description, error
        return
    raise AssertionError(f"{description} was expected")


def order(**changes):
    return client().order.create({"amount": 50_000, "currency": "INR"} | changes)


def paid(**changes):
    """A fresh order and what checkout gives the browser when it is paid."""
    made = order(**changes)
    return made, control(f"/orders/{made['id']}/pay", {"outcome": "success"})


def test_an_order_is_made_fetched_and_found_by_its_receipt():
    receipt = f"sdk-{time.time_ns()}"
    made = order(receipt=receipt, notes={"user": "u1"})
    assert (made["entity"], made["status"], made["notes"]) == ("order", "created", {"user": "u1"})
    assert client().order.fetch(made["id"]) == made
    assert client().order.all({"receipt": receipt}) == {"entity": "collection", "count": 1, "items": [made]}
    assert order()["notes"] == []


def test_an_order_is_paid_and_its_payment_fetched():
    made, triple = paid()
    payment = client().payment.fetch(triple["razorpay_payment_id"])
    assert (payment["status"], payment["order_id"], payment["amount"]) == ("captured", made["id"], 50_000)
    assert (payment["fee"], payment["tax"]) == (1_180, 180)
    assert client().order.payments(made["id"])["items"] == [payment]
    assert client().order.fetch(made["id"])["status"] == "paid"
    assert payment in client().payment.all({"count": 100})["items"]


def test_an_authorised_payment_is_captured_once():
    made, triple = paid(payment={"capture": "manual"})
    payment = triple["razorpay_payment_id"]
    refused(
        BadRequestError,
        "Capture amount must be equal to the amount authorized",
        lambda: client().payment.capture(payment, 49_999, {"currency": "INR"}),
    )
    captured = client().payment.capture(payment, 50_000, {"currency": "INR"})
    assert captured["status"] == "captured" and captured["captured"] is True
    refused(
        BadRequestError,
        "This payment has already been captured",
        lambda: client().payment.capture(payment, 50_000, {"currency": "INR"}),
    )


def test_a_payment_is_refunded_in_parts_and_never_more():
    _, triple = paid()
    payment = triple["razorpay_payment_id"]
    part = client().payment.refund(payment, {"amount": 20_000, "speed": "normal", "notes": {"why": "part"}})
    assert (part["status"], part["amount"], part["notes"]) == ("pending", 20_000, {"why": "part"})
    refused(
        BadRequestError,
        "The total refund amount is greater than the refund payment amount",
        lambda: client().payment.refund(payment, {"amount": 30_001}),
    )
    rest = client().payment.refund(payment, {"speed": "optimum"})
    assert (rest["status"], rest["amount"], rest["speed_processed"]) == ("processed", 30_000, "instant")
    assert client().payment.fetch(payment)["status"] == "refunded"
    refused(BadRequestError, "The payment has been fully refunded already", lambda: client().payment.refund(payment, {}))
    assert client().payment.fetch_multiple_refund(payment)["count"] == 2
    assert client().payment.fetch_refund_id(payment, rest["id"]) == rest
    assert client().refund.fetch(rest["id"]) == rest
    assert rest in client().refund.all({"count": 100})["items"]


def test_a_refund_is_idempotent_by_its_header():
    _, triple = paid()
    payment = triple["razorpay_payment_id"]
    header = {"X-Refund-Idempotency": f"sdk-{time.time_ns()}"}
    ask = lambda amount: client().payment.refund(payment, {"amount": amount}, headers=dict(header))
    first = ask(10_000)
    assert ask(10_000)["id"] == first["id"]
    refused(
        BadRequestError,
        "Different request with the same idempotency key has already been processed.",
        lambda: ask(20_000),
    )
    assert client().payment.fetch_multiple_refund(payment)["count"] == 1


def test_refusals_reach_the_sdk():
    for description, changes in [
        ("Order amount less than minimum amount allowed", {"amount": 99}),
        ("The amount must be an integer.", {"amount": 100.5}),
        ("Currency is not supported", {"currency": "XAU"}),
        ("receipt: the length must be no more than 40.", {"receipt": "r" * 41}),
        ("colour is/are not required and should not be sent", {"colour": "red"}),
    ]:
        refused(BadRequestError, description, lambda: order(**changes))
    refused(BadRequestError, "The id provided does not exist", lambda: client().order.fetch("order_00000000000000"))
    refused(BadRequestError, "12 is not a valid id", lambda: client().payment.fetch("12"))
    stranger = client((KEY[0], "wrong"))
    refused(BadRequestError, "Authentication failed", lambda: stranger.order.all())


def test_failures_on_the_other_side_have_their_own_errors():
    for status, kind in [(500, ServerError), (504, GatewayError)]:
        control("/faults", {"target": "razorpay", "error": status, "times": 1})
        try:
            order()
        except kind:
            continue
        raise AssertionError(f"{kind} was expected")


def test_an_answer_that_was_lost_left_its_effect():
    receipt = f"lost-{time.time_ns()}"
    control("/faults", {"target": "razorpay", "call": "order", "drop": True, "after": True, "times": 1})
    try:
        order(receipt=receipt)
    except OSError:
        assert client().order.all({"receipt": receipt})["count"] == 1
    else:
        raise AssertionError("the call had an answer")


def test_the_sdk_verifies_what_checkout_gives():
    made, triple = paid()
    assert client().utility.verify_payment_signature(triple)
    for wrong in [
        triple | {"razorpay_order_id": order()["id"]},
        triple | {"razorpay_signature": "0" * 64},
    ]:
        try:
            client().utility.verify_payment_signature(wrong)
        except SignatureVerificationError:
            continue
        raise AssertionError("a wrong signature was taken")


def test_the_sdk_verifies_webhooks_over_their_raw_bytes():
    received = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((body.decode(), self.headers["X-Razorpay-Signature"], self.headers["x-razorpay-event-id"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        control("/webhooks", {"url": f"http://127.0.0.1:{server.server_port}/hook"})
        _, triple = paid()
        deadline = time.monotonic() + 10
        while len(received) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        control("/webhooks", {"drop": True})
        server.shutdown()
    assert {json.loads(body)["event"] for body, _, _ in received} == {
        "payment.authorized", "payment.captured", "order.paid",
    }
    assert len({event_id for _, _, event_id in received}) == 3
    for body, signature, _ in received:
        assert client().utility.verify_webhook_signature(body, signature, WEBHOOK_SECRET)
        event = json.loads(body)
        assert event["payload"]["payment"]["entity"]["id"] == triple["razorpay_payment_id"]
        for wrong in [(json.dumps(event), signature, WEBHOOK_SECRET), (body, signature, KEY[1])]:
            try:
                client().utility.verify_webhook_signature(*wrong)
            except SignatureVerificationError:
                continue
            raise AssertionError("a wrong signature was taken")


def main():
    tests = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
    failed = 0
    for test in tests:
        try:
            test()
            print(f"ok    {test.__name__[5:].replace('_', ' ')}")
        except Exception:
            failed += 1
            print(f"FAIL  {test.__name__[5:].replace('_', ' ')}\n{traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
