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


class Client(socketio.AsyncClient):
    """A client that keeps what it is told."""

    def __init__(self):
        super().__init__()
        self.told = asyncio.Queue()
        for event in ("ready", "session:revoked", "disconnect", "connect_error"):
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


async def main():
    passed = failed = 0
    tests = [
        a_member_connects_upgrades_and_is_acknowledged,
        nobody_comes_in_without_a_good_token,
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
