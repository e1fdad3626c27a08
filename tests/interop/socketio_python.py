"""python-socketio, the usual Python client, with its default options, against the echo example of crates/realtime."""

import asyncio
import os
import sys
import traceback

import socketio

URL = os.environ["REALTIME_URL"]


class Client(socketio.AsyncClient):
    """A client that keeps what it is told."""

    def __init__(self, **options):
        super().__init__(**options)
        self.told = asyncio.Queue()
        for event in ("auth", "message-back", "disconnect", "connect_error"):
            self.on(event, self.keep(event))
            self.on(event, self.keep(event), namespace="/custom")

    def keep(self, event):
        async def handle(*args):
            await self.told.put((event, list(args)))
        return handle

    async def next(self, event):
        while True:
            got, args = await asyncio.wait_for(self.told.get(), 5)
            if got == event:
                return args

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.disconnect()


async def test_a_client_connects_and_moves_to_a_websocket():
    async with Client() as client:
        await client.connect(URL, auth={"token": "abc"})
        assert await client.next("auth") == [{"token": "abc"}]
        assert client.transport() == "websocket"
        assert client.get_sid() != client.eio.sid


async def test_each_transport_works_alone():
    for transport in ("polling", "websocket"):
        async with Client() as client:
            await client.connect(URL, transports=[transport])
            await client.emit("message", (1, "2", {"three": [b"\x00\xff"]}, None))
            assert await client.next("message-back") == [1, "2", {"three": [b"\x00\xff"]}, None]
            assert client.transport() == transport


async def test_acknowledgements_go_both_ways_with_bytes():
    async with Client() as client:
        client.on("question", lambda what: (f"about {what}", b"\x01"))
        await client.connect(URL)
        data = b"\x07" * 100_000
        assert await client.call("message-with-ack", (data, {"deep": [data]}), timeout=5) == (data, {"deep": [data]})
        assert await client.call("ask-me", "it", timeout=5) == ("about it", b"\x01")


async def test_several_namespaces_share_one_connection():
    async with Client() as client:
        await client.connect(URL, namespaces=["/", "/custom"])
        for namespace in ("/", "/custom"):
            assert await client.call("message-with-ack", namespace, namespace=namespace, timeout=5) == namespace


async def test_who_is_not_let_in_gets_an_error():
    for options in ({"namespaces": ["/nowhere"]}, {"auth": {"refuse": True}}):
        async with Client() as client:
            try:
                await client.connect(URL, **options)
            except socketio.exceptions.ConnectionError:
                continue
            raise AssertionError(f"{options} was let in")


async def test_heartbeats_keep_a_connection():
    async with Client() as client:
        await client.connect(URL)
        await asyncio.sleep(1.5)
        assert client.connected
        assert await client.call("message-with-ack", 1, timeout=5) == 1


async def answer(client):
    """An acknowledgement, once the client holds itself for connected: its first try to come back may have been too slow
    for its own patience, and it tries again."""
    for _ in range(100):
        try:
            return await client.call("message-with-ack", 1, timeout=5)
        except socketio.exceptions.BadNamespaceError:
            await asyncio.sleep(0.1)
    raise AssertionError("it did not come back")


async def test_a_client_that_was_cut_comes_back_by_itself():
    async with Client(reconnection_delay=0.05, randomization_factor=0) as client:
        await client.connect(URL)
        first = client.get_sid()
        await client.next("auth")
        await client.emit("cut")
        await client.next("disconnect")
        await client.next("auth")
        assert await answer(client) == 1
        assert client.get_sid() != first


async def main():
    tests = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
    failed = 0
    for test in tests:
        try:
            await asyncio.wait_for(test(), 30)
            print(f"ok    {test.__name__[5:].replace('_', ' ')}")
        except Exception:
            failed += 1
            print(f"FAIL  {test.__name__[5:].replace('_', ' ')}\n{traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
