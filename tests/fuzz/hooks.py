"""Who makes the requests, and a count of them. Loaded by schemathesis through SCHEMATHESIS_HOOKS.

FUZZ_GATEWAY   where the gateway is
FUZZ_ROLE      the role to play; ANONYMOUS for nobody
FUZZ_PEOPLE    the file that prepare.py wrote
FUZZ_COUNTS    where to write how often each operation was called, and how it answered
"""

import atexit
import json
import os
import time
from collections import Counter, defaultdict
from pathlib import Path

import schemathesis
from people import Person

GATEWAY = os.environ["FUZZ_GATEWAY"]
ROLE = os.environ["FUZZ_ROLE"]
# An access token lives ten minutes, a step-up five.
FRESH_FOR_S = 200
# Operations that may end their caller's sessions (logout, revocation) or use up the attempts that their caller
# needs to stay stepped up (wrong codes): the second person of the role makes these requests. Everything is still
# tested, and what these do to a session is tested by identity's and the gateway's own tests.
STAND_IN_FOR = "/api/auth/"

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
    kept = json.loads(Path(os.environ["FUZZ_PEOPLE"]).read_text())[ROLE]
    first, second = (Caller(Person(**one), place == 1) for place, one in enumerate(kept))

    # Kept for no time: a caller knows by itself when its token is old.
    @schemathesis.auth(refresh_interval=None)
    class Bearer:
        """The access token of whoever is to make the request."""

        def get(self, case, context):
            caller = second if context.operation.path.startswith(STAND_IN_FOR) else first
            return caller.token()

        def set(self, case, data, context):
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook
def after_call(context, case, response):
    counts[case.operation.label][response.status_code] += 1


@atexit.register
def write_counts():
    Path(os.environ["FUZZ_COUNTS"]).write_text(json.dumps(counts, indent=1))
