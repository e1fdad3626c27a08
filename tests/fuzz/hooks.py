"""Who makes the requests, what exists to be asked for, and a count. Loaded by schemathesis: SCHEMATHESIS_HOOKS.

FUZZ_GATEWAY   where the gateway is
FUZZ_ROLE      the role to play; ANONYMOUS for nobody
FUZZ_PEOPLE    the file that prepare.py wrote
FUZZ_COUNTS    where to write how often each operation was called, and how it answered
"""

import atexit
import json
import os
import time
import zlib
from collections import Counter, defaultdict
from pathlib import Path

import schemathesis
from people import Person
from schemathesis.generation.meta import TestPhase

GATEWAY = os.environ["FUZZ_GATEWAY"]
ROLE = os.environ["FUZZ_ROLE"]
PREPARED = json.loads(Path(os.environ["FUZZ_PEOPLE"]).read_text())
# An access token lives ten minutes, a step-up five.
FRESH_FOR_S = 200

counts: dict[str, Counter] = defaultdict(Counter)


class Caller:
    """A person whose token is always fresh."""

    def __init__(self, person: Person, may_lose_session: bool):
        self.person = person
        self.may_lose_session = may_lose_session
        self.fresh_until = 0.0

    def token(self) -> str:
        if time.monotonic() > self.fresh_until:
            self.fresh_until = time.monotonic() + FRESH_FOR_S
            try:
                self.person.refresh(GATEWAY)
                if self.person.secret:
                    self.person.step_up(GATEWAY)
            except Exception:
                # The session was ended by a request of ours: from now on its token is one that must be refused.
                if not self.may_lose_session:
                    raise
        return self.person.access


if ROLE != "ANONYMOUS":
    people = [Person(**one) for one in PREPARED["people"][ROLE]]
    everyday = Caller(people[0], may_lose_session=False)
    # Operations that may end their caller's sessions or use up the attempts that a step-up needs are called by
    # others of the same role. All of them are tested; logging out succeeds once, and is refused from then on.
    others = {
        prefix: Caller(person, may_lose_session=True)
        for prefix, person in zip(("/api/auth/logout", "/api/auth/sessions", "/api/auth/"), people[1:], strict=True)
    }

    def caller_of(path: str) -> Caller:
        return next((caller for prefix, caller in others.items() if path.startswith(prefix)), everyday)

    # Kept for no time: a caller knows by itself when its token is old.
    @schemathesis.auth(refresh_interval=None)
    class Bearer:
        """The access token of whoever is to make the request."""

        def get(self, case, context):
            return caller_of(context.operation.path).token()

        def set(self, case, data, context):
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Lets half of the well-formed requests ask for something that exists: nothing would be found by chance."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or meta.phase.name == TestPhase.STATEFUL:
        return
    for path, known in PREPARED["known"].items():
        if case.operation.path.startswith(path):
            (name, value), = case.path_parameters.items()
            draw = zlib.crc32(str(value).encode())
            if draw % 2:
                case.path_parameters[name] = known[draw // 2 % len(known)]
    if isinstance(case.body, dict) and case.operation.path.startswith("/api/listings") and "categoryId" in case.body:
        if zlib.crc32(str(case.body).encode()) % 2:
            # A category that asks for nothing.
            case.body["categoryId"] = PREPARED["category"]
            case.body.pop("attributes", None)
            case.body.pop("photoIds", None)


@schemathesis.hook
def after_call(context, case, response):
    counts[case.operation.label][response.status_code] += 1


@atexit.register
def write_counts():
    Path(os.environ["FUZZ_COUNTS"]).write_text(json.dumps(counts, indent=1))
