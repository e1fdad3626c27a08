"""Twilio's own Python SDK against the sandbox: creates, fetches, lists, and meets Twilio's errors."""

import json
import os
import sys
import traceback
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

SANDBOX = os.environ["SANDBOX_URL"]
ACCOUNT = os.environ["DGT__SANDBOX__TWILIO_ACCOUNT_SID"]
TOKEN = os.environ["DGT__SANDBOX__TWILIO_AUTH_TOKEN"]
SENDER = "+15005550006"
ASHA = "+919876543210"
RAVI = "+919812345678"


class SandboxHttpClient(TwilioHttpClient):
    """The SDK's client, sent to the sandbox; any other address is a mistake."""

    def request(self, method, url, *args, **kwargs):
        twilio = "https://api.twilio.com"
        assert url.startswith(twilio + "/"), url
        return super().request(method, SANDBOX + url[len(twilio):], *args, **kwargs)


def client(account=ACCOUNT, token=TOKEN, **options):
    return Client(account, token, http_client=SandboxHttpClient(timeout=10), **options)


def call(method, path, body=None):
    request = urllib.request.Request(SANDBOX + path, method=method, data=body and json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def refusal(status, code, action):
    try:
        action()
    except TwilioRestException as error:
        assert (error.status, error.code) == (status, code), (error.status, error.code, error.msg)
        return error
    raise AssertionError(f"{code} was expected")


def send(**changes):
    fields = {"to": ASHA, "from_": SENDER, "body": "hello"} | changes
    return client().messages.create(**{name: value for name, value in fields.items() if value is not None})


def test_a_message_is_created_and_lands_in_the_inbox():
    message = send(body="आपका कोड 123456 है", validity_period=300, status_callback="https://example.in/hook")
    assert message.sid.startswith("SM") and len(message.sid) == 34
    assert message.status == "queued" and message.direction == "outbound-api"
    assert (message.to, message.from_, message.body) == (ASHA, SENDER, "आपका कोड 123456 है")
    assert message.num_segments == "1" and message.num_media == "0"
    assert message.price is None and message.error_code is None and message.date_sent is None
    assert message.uri == f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{message.sid}.json"
    age = datetime.now(timezone.utc) - message.date_created
    assert timedelta(seconds=-2) < age < timedelta(minutes=1), age
    query = urllib.parse.urlencode({"channel": "sms", "to": ASHA})
    newest = call("GET", f"/inbox?{query}")[0]
    assert newest["body"] == "आपका कोड 123456 है", newest


def test_a_message_is_fetched():
    sent = send(body="fetch me")
    fetched = client().messages(sent.sid).fetch()
    assert (fetched.sid, fetched.body, fetched.date_created) == (sent.sid, "fetch me", sent.date_created)


def test_a_messaging_service_sends():
    service = "MG" + "0" * 32
    message = send(from_=None, messaging_service_sid=service)
    assert (message.status, message.messaging_service_sid, message.from_) == ("accepted", service, None)


def test_the_list_goes_through_all_pages():
    to = "+919000000001"
    for number in range(5):
        send(to=to, body=str(number))
    listed = client().messages.list(to=to, page_size=2)
    assert [message.body for message in listed] == ["4", "3", "2", "1", "0"]
    assert [message.body for message in client().messages.list(to=to, limit=3)] == ["4", "3", "2"]
    page = client().messages.page(to=to, page_size=2).next_page()
    assert [message.body for message in page] == ["2", "1"]


def test_the_list_is_filtered():
    send(to=RAVI, from_="DGTMKT", body="for ravi")
    assert [message.body for message in client().messages.list(to=RAVI, from_="DGTMKT")] == ["for ravi"]
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    assert client().messages.list(to=RAVI, date_sent_after=tomorrow) == []
    assert len(client().messages.list(to=RAVI, date_sent_before=tomorrow)) == 1


def test_wrong_credentials_are_refused():
    refusal(401, 20003, lambda: client(token="wrong").messages.create(to=ASHA, from_=SENDER, body="x"))


def test_another_account_is_not_found():
    other = client(ACCOUNT, TOKEN, account_sid="AC" + "1" * 32)
    refusal(404, 20404, lambda: other.messages.create(to=ASHA, from_=SENDER, body="x"))


def test_an_unknown_message_is_not_found():
    refusal(404, 20404, lambda: client().messages("SM" + "0" * 32).fetch())


def test_refusals_carry_twilios_codes():
    for code, changes in [
        (21604, {"to": ""}),
        (21603, {"from_": None}),
        (21602, {"body": None}),
        (21211, {"to": "+9198765"}),
        (21614, {"to": "+912225551234"}),
        (21212, {"from_": "far too long a name"}),
        (21606, {"from_": "+14155550100"}),
        (21617, {"body": "a" * 1601}),
        (21624, {"validity_period": 36001}),
        (21609, {"status_callback": "not-a-url"}),
        (21705, {"from_": None, "messaging_service_sid": "MG1"}),
    ]:
        error = refusal(400, code, lambda: send(**changes))
        assert error.uri.endswith("/Messages.json"), error.uri


def test_faults_reach_the_sdk_as_errors():
    for status, code in [(429, 20429), (503, 20503)]:
        call("POST", "/control/faults", {"target": "twilio", "error": status, "times": 1})
        refusal(status, code, send)
    assert send().status == "queued"


def test_a_dropped_call_is_a_connection_error():
    call("DELETE", "/inbox")
    call("POST", "/control/faults", {"target": "twilio", "drop": True, "times": 1})
    try:
        send(body="lost")
    except OSError:
        assert call("GET", "/inbox") == []
    else:
        raise AssertionError("the call had an answer")


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
