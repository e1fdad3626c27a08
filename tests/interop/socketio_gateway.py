"""python-socketio, the usual Python client, with its default options, against the gateway itself."""

import asyncio
import os
import re
import sys
import traceback

import aiohttp
import socketio

GATEWAY = os.environ["GATEWAY_URL"]
SANDBOX = os.environ["SANDBOX_URL"]
numbers = iter(range(1_000))


async def call(session, method, path, body=None, token=None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with session.request(method, GATEWAY + path, json=body, headers=headers) as answer:
        assert answer.ok, f"{method} {path}: {answer.status} {await answer.text()}"
        return await answer.json() if answer.content_type == "application/json" else None


async def login(session):
    """Somebody new, with the code that the sandbox received."""
    email = f"listener-{os.getpid()}-{next(numbers)}@example.in"
    await call(session, "POST", "/api/auth/send-otp", {"email": email})
    async with session.get(f"{SANDBOX}/inbox", params={"channel": "email", "to": email}) as answer:
        inbox = await answer.json()
    otp = re.search(r"\b(\d{6})\b", inbox[0]["body"])[1]
    body = {"email": email, "otp": otp, "name": "A listener"}
    return await call(session, "POST", "/api/auth/verify-otp", body)


async def listing(session, person):
    """A listing of theirs, which they may follow while it waits for its review."""
    leaf = next(category for category in (await call(session, "GET", "/api/categories"))["data"]
                if category["slug"] == "furniture")
    while leaf.get("children"):
        leaf = leaf["children"][0]
    body = {
        "categoryId": leaf["id"], "title": "A wooden table", "condition": "GOOD",
        "description": "Four legs, one top, and no scratch worth telling of.",
        "price": {"amount": 250_000, "currency": "INR"}, "location": {"city": "Pune", "state": "Maharashtra"},
    }
    table = (await call(session, "POST", "/api/listings", body, person["accessToken"]))["id"]

    async def retitle(title):
        await call(session, "PUT", f"/api/listings/{table}", {**body, "title": title}, person["accessToken"])
    return table, retitle


class Client(socketio.AsyncClient):
    """A client that keeps what it is told."""

    def __init__(self):
        super().__init__()
        self.told = asyncio.Queue()
        for event in ("ready", "listing:updated", "session:revoked", "disconnect", "connect_error"):
            self.on(event, self.keep(event))

    def keep(self, event):
        async def handle(*args):
            await self.told.put((event, list(args)))
        return handle

    async def next(self, event):
        while True:
            got, args = await asyncio.wait_for(self.told.get(), 10)
            if got == event:
                return args


async def a_member_connects_upgrades_and_is_acknowledged(session):
    person = await login(session)
    client = Client()
    await client.connect(GATEWAY, auth={"token": person["accessToken"]})
    ready = (await client.next("ready"))[0]
    assert set(ready["streams"]) == {"everyone", f"user:{person['user']['id']}"}, ready
    assert client.transport() == "websocket", client.transport()
    assert await client.call("ping") == {"ok": True}
    refused = await client.call("subscribe:listing", {"listingId": "019300f0-7c41-7d0b-9b7e-5d2f1c0a9e11"})
    assert refused["code"] == "listing_not_found", refused
    await client.disconnect()


async def nobody_comes_in_without_a_good_token(_):
    client = Client()
    try:
        await client.connect(GATEWAY, auth={"token": "nonsense"})
    except socketio.exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("a client without a token came in")
    finally:
        await client.disconnect()


async def a_logout_is_told_and_cuts(session):
    person = await login(session)
    client = Client()
    await client.connect(GATEWAY, auth={"token": person["accessToken"]})
    await client.next("ready")
    await call(session, "POST", "/api/auth/logout", token=person["accessToken"])
    payload, meta = (await client.next("session:revoked"))[:2]
    assert payload["reason"] == "logout" and meta["seq"] >= 1, (payload, meta)
    await client.next("disconnect")
    await client.disconnect()


async def who_comes_back_is_told_what_they_missed(session):
    person = await login(session)
    table, retitle = await listing(session, person)
    token, stream = person["accessToken"], f"listing:{table}"

    async def news(client):
        """From the listing's own stream: its seller hears of it a second time, for themselves."""
        while True:
            payload, meta = (await client.next("listing:updated"))[:2]
            if meta["stream"] == stream:
                return payload, meta

    client, witness = Client(), Client()
    for one in (client, witness):
        await one.connect(GATEWAY, auth={"token": token})
        await one.next("ready")
        followed = await one.call("subscribe:listing", {"listingId": table})
        assert followed["ok"] and followed["stream"] == stream, followed
    await retitle("A better table")
    for one in (client, witness):
        payload, meta = await news(one)
        assert payload["listingId"] == table and meta["seq"] == followed["seq"] + 1, (payload, meta)

    # The line is cut, and the client comes back by itself.
    await client.eio.ws.close()
    await retitle("The best table")
    missed = (await news(witness))[1]["seq"]
    await client.next("ready")
    # It keeps nothing of a connection that is gone, so it says how far it had heard.
    again = await client.call("subscribe:listing", {"listingId": table, "after": meta["seq"]})
    assert again["ok"] and again["resync"] is False and again["seq"] == missed, again
    payload, meta = await news(client)
    assert payload["listingId"] == table and meta["seq"] == missed, (payload, meta)
    for one in (client, witness):
        await one.disconnect()


async def main():
    passed = failed = 0
    tests = [
        a_member_connects_upgrades_and_is_acknowledged,
        nobody_comes_in_without_a_good_token,
        who_comes_back_is_told_what_they_missed,
        a_logout_is_told_and_cuts,
    ]
    async with aiohttp.ClientSession() as session:
        for test in tests:
            try:
                await test(session)
                passed += 1
            except Exception:  # noqa: BLE001 - each failure is told, and the others go on
                failed += 1
                print(f"FAILED {test.__name__}", file=sys.stderr)
                traceback.print_exc()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
