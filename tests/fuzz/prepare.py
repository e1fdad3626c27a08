"""Fills a fresh marketplace with people of each role and things to find; writes down who and what they are.

    prepare.py GATEWAY_URL SANDBOX_URL SUPER_ADMIN_PHONE FILE

Of each role there are four: the first makes the requests, and the others stand in for it where a request may end
the session of whoever makes it, or use up their attempts; see hooks.py.
"""

import json
import struct
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from people import Person, call, upload

ROLES = ["USER", "MODERATOR", "FINANCE", "ADMIN", "SUPER_ADMIN"]
# Members whose accounts and listings the requests may do anything to.
BYSTANDERS = 8
LISTINGS_EACH = 4
# A code may be asked for again after this; being given a role ends the session it was given in.
RESEND_AFTER_S = 31


def listing(category: str, number: int) -> dict[str, Any]:
    return {
        "categoryId": category, "title": f"Bicycle number {number}", "condition": "GOOD",
        "description": "Three gears, new tyres, bought two years ago and hardly ridden since.",
        "price": {"amount": 500_000 + number, "currency": "INR"}, "location": {"city": "Pune", "state": "Maharashtra"},
    }


def png(side: int) -> bytes:
    """A grey square."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def main() -> None:
    gateway, sandbox, super_admin_phone, file = sys.argv[1:]
    boss = Person(super_admin_phone)
    people = {role: [Person(f"+9198000{index}{place}000") for place in "1234"] for index, role in enumerate(ROLES)}
    bystanders = [Person(f"+91980009{number}000") for number in range(BYSTANDERS)]
    everybody = [boss, *bystanders, *(person for group in people.values() for person in group)]
    for person in everybody:
        person.ask_for_code(gateway)
        person.log_in(gateway, sandbox)
    asked_at = time.monotonic()
    boss.enrol(gateway)
    staff = {role: group for role, group in people.items() if role != "USER"}
    for role, group in staff.items():
        for person in group:
            call(gateway, "PUT", f"/api/users/{person.id}/role", {"role": role}, boss.access)
    # One category whose listings are out at once, one where they wait for a review.
    open_to_all, reviewed = (
        call(gateway, "POST", "/api/categories", {
            "slug": slug, "name": slug.title(), "attributes": [], "autoApprove": slug == "bicycles", "order": 1,
            "active": True}, boss.access)["id"]
        for slug in ("bicycles", "tricycles"))
    time.sleep(max(0, asked_at + RESEND_AFTER_S - time.monotonic()))
    for group in staff.values():
        for person in group:
            person.ask_for_code(gateway)
            person.log_in(gateway, sandbox)
            person.enrol(gateway)
    listings = []
    for seller in [*bystanders, *(group[0] for group in people.values())]:
        for number in range(LISTINGS_EACH):
            body = listing(reviewed if number == 0 else open_to_all, number)
            listings.append(call(gateway, "POST", "/api/listings", body, seller.access)["id"])
    photo = upload(gateway, png(320), bystanders[0].access)["data"][0]
    Path(file).write_text(json.dumps({
        "people": {role: [person.kept() for person in group] for role, group in people.items()},
        "known": {
            "/api/listings/{id}": listings,
            "/api/users/{id}": [person.id for person in bystanders],
            "/api/sellers/{id}": [person.id for person in bystanders],
            "/api/categories/{id}": [open_to_all, reviewed],
            "/media/{name}": media_names(photo),
        },
        "category": open_to_all,
    }))


def media_names(photo: Any) -> list[str]:
    """The last parts of everything in a photo's description that is a file's address."""
    texts = [text for text in photo.values() if isinstance(text, str)]
    return [text.rsplit("/", 1)[1] for text in texts if "/media/" in text]


if __name__ == "__main__":
    main()
