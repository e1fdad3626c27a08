"""Fills a fresh marketplace with two people of each role, and a few listings to find; writes down who they are.

    prepare.py GATEWAY_URL SANDBOX_URL SUPER_ADMIN_PHONE FILE

The first of each role makes the requests. The second stands in for operations that may end the session or use up
the attempts of whoever calls them; see hooks.py.
"""

import json
import sys
import time
from pathlib import Path

from people import Person, call

ROLES = ["USER", "MODERATOR", "FINANCE", "ADMIN", "SUPER_ADMIN"]
# A code may be asked for again after this; being given a role ends the session it was given in.
RESEND_AFTER_S = 31


def main() -> None:
    gateway, sandbox, super_admin_phone, file = sys.argv[1:]
    boss = Person(super_admin_phone)
    pairs = {role: [Person(f"+9198000{index}{place}000") for place in "12"] for index, role in enumerate(ROLES)}
    everybody = [person for pair in pairs.values() for person in pair]
    for person in [boss, *everybody]:
        person.ask_for_code(gateway)
        person.log_in(gateway, sandbox)
    asked_at = time.monotonic()
    boss.enrol(gateway)
    staff = {role: pair for role, pair in pairs.items() if role != "USER"}
    for role, pair in staff.items():
        for person in pair:
            call(gateway, "PUT", f"/api/users/{person.id}/role", {"role": role}, boss.access)
    time.sleep(max(0, asked_at + RESEND_AFTER_S - time.monotonic()))
    for pair in staff.values():
        for person in pair:
            person.ask_for_code(gateway)
            person.log_in(gateway, sandbox)
            person.enrol(gateway)
    kept = {role: [person.kept() for person in pair] for role, pair in pairs.items()}
    Path(file).write_text(json.dumps(kept))


if __name__ == "__main__":
    main()
