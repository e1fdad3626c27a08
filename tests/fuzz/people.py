"""People who log in as client apps do: codes come from the sandbox's inbox, staff carry an authenticator."""

import base64
import hmac
import json
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

STEP = 30


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, call: str, status: int, body: bytes):
        super().__init__(f"{call} is answered {status}: {body.decode(errors='replace')[:500]}")
        self.status = status


def call(base: str, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    """One request; gives the JSON of its answer."""
    data = json.dumps(body).encode() if body is not None else None
    return send(base, method, path, data, "application/json", token)


def upload(base: str, picture: bytes, token: str) -> Any:
    """One picture, as a form."""
    edge = "edge-of-a-part"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    data = head.encode() + picture + f"\r\n--{edge}--\r\n".encode()
    return send(base, "POST", "/api/uploads", data, f"multipart/form-data; boundary={edge}", token)


def send(base: str, method: str, path: str, data: bytes | None, kind: str, token: str | None) -> Any:
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if data is not None:
        headers["Content-Type"] = kind
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise Refused(f"{method} {path}", error.code, error.read()) from None
    return json.loads(text) if text else None


def totp(secret: str, step: int) -> str:
    """The code of a time step (RFC 6238 with the defaults: SHA-1, six digits)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset:offset + 4]) & 0x7fffffff) % 1_000_000:06}"


class Person:
    """Somebody who is logged in, and can be written down and read back."""

    def __init__(self, phone: str, **kept: Any):
        self.phone = phone
        self.id = kept.get("id")
        self.access = kept.get("access")
        self.refresh_token = kept.get("refresh_token")
        self.secret = kept.get("secret")
        self.used_step = kept.get("used_step", 0)

    def kept(self) -> dict[str, Any]:
        return vars(self)

    def ask_for_code(self, gateway: str) -> None:
        call(gateway, "POST", "/api/auth/send-otp", {"phone": self.phone})

    def log_in(self, gateway: str, sandbox: str) -> None:
        """With the newest code in the inbox."""
        code = newest_code(sandbox, self.phone)
        answer = call(gateway, "POST", "/api/auth/verify-otp", {"phone": self.phone, "otp": code})
        self.id = answer["user"]["id"]
        self._keep(answer)

    def refresh(self, gateway: str) -> None:
        self._keep(call(gateway, "POST", "/api/auth/refresh", {"refreshToken": self.refresh_token}))

    def _keep(self, answer: dict[str, Any]) -> None:
        self.access, self.refresh_token = answer["accessToken"], answer["refreshToken"]

    def enrol(self, gateway: str) -> None:
        """Sets up an authenticator; its confirmation is a step-up too."""
        self.secret = call(gateway, "POST", "/api/auth/totp/enrol", token=self.access)["secret"]
        call(gateway, "POST", "/api/auth/totp/confirm", {"code": self.code()}, self.access)

    def step_up(self, gateway: str) -> None:
        call(gateway, "POST", "/api/auth/step-up", {"code": self.code()}, self.access)

    def code(self) -> str:
        """A code that was not given before, at most one step from the present one; waits for it if it must."""
        step = max(self.used_step + 1, int(time.time()) // STEP - 1)
        time.sleep(max(0, (step - 1) * STEP - time.time()))
        self.used_step = step
        return totp(self.secret, step)


def newest_code(sandbox: str, phone: str) -> str:
    query = urllib.parse.urlencode({"channel": "sms", "to": phone})
    for _ in range(50):
        messages = call(sandbox, "GET", f"/inbox?{query}")
        if messages:
            words = "".join(c if c.isdigit() else " " for c in messages[0]["body"]).split()
            return next(word for word in words if len(word) == 6)
        time.sleep(0.1)
    raise RuntimeError(f"no code arrived for {phone}")
