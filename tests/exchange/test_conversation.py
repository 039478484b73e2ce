"""Messages between two cities: lost, repeated, crossing, in a wrong order, from somebody else, to somewhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from tests.exchange.two_cities import ROADS, URL, City, Two, agreed, offered, requested, two  # noqa: F401

from twintown.exchange import negotiating, outbox, rows, transferring
from twintown.exchange.courier import Answer
from twintown.exchange.delivery import deliver
from twintown.exchange.messages import CONTEXT
from twintown.ground.errors import Denied, NotFound, StorageFailed, WrongState
from twintown.store.engine import reading
from twintown.store.schema_shared import outbox as waiting
from twintown.trust.assertions import assert_
from twintown.trust.keys import signing_key

pytestmark = pytest.mark.slow
AUTHOR = {"name": "Kim", "kind": "person", "verified": True}


def state(city: City, pid: str) -> str:
    with reading(city.twin.tables.engine) as connection:
        return rows.negotiation(connection, city.twin.tables.twin, pid).state


def say(two: Two, path: str, body: Any, *, token: str = "", **other: Any) -> Any:  # noqa: F811
    """A message of the taker's to the giver, signed as it should be or otherwise."""
    raw = json.dumps(body).encode()
    said = {
        "key": signing_key(two.taker.directory), "issuer": two.taker.did, "audience": two.giver.did, "method": "POST",
        "url": f"{URL}/twins/{two.giver.id}/dsp{path}", "body": raw, "now": datetime.now(UTC), **other,
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {token or assert_(**said)}", "Content-Type": "application/json"}
    return two.giver.client.post(f"{URL}/twins/{two.giver.id}/dsp{path}", content=raw, headers=headers)


def asking(two: Two, **other: Any) -> dict[str, Any]:  # noqa: F811
    offer = offered(two, ROADS)
    from twintown.exchange import agreement
    from twintown.trust.terms import Asset, Terms

    policy = agreement.offer(
        f"urn:uuid:{uuid4()}", Terms((Asset("layer", "roads"),)), target=offer["dataset"]
    )
    return {
        "@context": [CONTEXT], "@type": "ContractRequestMessage", "@id": f"urn:uuid:{uuid4()}", "consumerPid": f"urn:uuid:{uuid4()}",
        "offer": policy, "callbackAddress": f"{URL}/twins/{two.taker.id}/dsp", **other,
    }  # fmt: skip


def test_the_same_message_again_is_answered_as_the_first_time_and_changes_nothing(two: Two) -> None:  # noqa: F811
    body = asking(two)
    first, again = say(two, "/negotiations/request", body), say(two, "/negotiations/request", body)
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    pid = first.json()["providerPid"]
    end = {"@context": [CONTEXT], "@type": "ContractNegotiationTerminationMessage", "@id": "urn:uuid:end", "providerPid": pid,
           "consumerPid": body["consumerPid"], "reason": ["no"]}  # fmt: skip
    for _ in range(2):
        answer = say(two, f"/negotiations/{pid}/termination", end)
        assert (answer.status_code, answer.json()["state"]) == (200, "TERMINATED")
    with reading(two.giver.twin.tables.engine) as connection:
        assert len(rows.messages_of(connection, two.giver.id, pid)) == 2


def test_another_message_by_the_name_of_one_that_came_is_refused(two: Two) -> None:  # noqa: F811
    body = asking(two)
    assert say(two, "/negotiations/request", body).status_code == 201
    other = {**body, "offer": {**body["offer"], "@id": "urn:uuid:other"}}
    answer = say(two, "/negotiations/request", other)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-parameter")


def test_another_message_under_a_known_pid_begins_nothing(two: Two) -> None:  # noqa: F811
    body = asking(two)
    assert say(two, "/negotiations/request", body).status_code == 201
    answer = say(two, "/negotiations/request", {**body, "@id": "urn:uuid:other"})
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong-state")


def test_a_token_is_good_for_one_message_even_where_that_was_refused(two: Two) -> None:  # noqa: F811
    body = asking(two, callbackAddress="https://elsewhere.example/dsp")
    raw = json.dumps(body).encode()
    url = f"{URL}/twins/{two.giver.id}/dsp/negotiations/request"
    token = assert_(
        signing_key(two.taker.directory), two.taker.did, two.giver.did, "POST", url, raw, datetime.now(UTC)
    )
    assert say(two, "/negotiations/request", body, token=token).status_code == 400
    answer = say(two, "/negotiations/request", body, token=token)
    assert (answer.status_code, answer.json()["code"]) == (401, "replayed")


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example/dsp", "http://127.0.0.1:8000/twins/small/dsp", "http://127.0.0.1:8000/twins/other/../small/dsp",
     "http://127.0.0.1:8000/twins/otherx", "http://127.0.0.1:8000@evil.example/twins/other", "file:///etc/passwd", ""],
)  # fmt: skip
def test_answers_go_to_the_pinned_address_of_the_sender_only(two: Two, address: str) -> None:  # noqa: F811
    answer = say(two, "/negotiations/request", asking(two, callbackAddress=address))
    assert answer.status_code == 400 and answer.json()["@type"] == "ContractNegotiationError"
    assert all(elsewhere.startswith(URL) for _, elsewhere, _ in two.courier.asked)


def test_what_one_city_negotiates_another_one_cannot_see(two: Two) -> None:  # noqa: F811
    ours, _ = requested(two, offered(two, ROADS))
    url = f"{URL}/twins/{two.giver.id}/dsp/negotiations/{ours}"
    said = {"audience": two.giver.did, "method": "GET", "url": url, "body": b"", "now": datetime.now(UTC)}
    token = assert_(signing_key(two.giver.directory), two.giver.did, **said)
    answer = two.giver.client.get(url, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401  # no city is its own peer
    assert two.giver.client.get(url).status_code == 401


def test_a_city_that_is_away_hears_everything_in_its_order_when_it_is_back(two: Two) -> None:  # noqa: F811
    offer = offered(two, ROADS)
    two.courier.away.add(f"{URL}/twins/{two.giver.id}")
    found = two.taker.party.peers.find(two.giver.id)
    assert found.did == two.giver.did
    from twintown.exchange import agreement
    from twintown.trust.terms import Asset, Terms

    policy = agreement.offer("urn:uuid:o", Terms((Asset("layer", "roads"),)))
    begun = negotiating.request(
        two.taker.party, two.giver.id, offer["dataset"], policy, AUTHOR, datetime.now(UTC)
    )
    assert deliver(two.taker.party, two.courier) >= 1  # type: ignore[arg-type]
    negotiating.terminate(two.taker.party, begun.pid, AUTHOR, datetime.now(UTC), ["it takes too long"])
    assert state(two.taker, begun.pid) == "TERMINATED"
    two.courier.away.clear()
    deliver(two.taker.party, two.courier, clock=lambda: datetime.now(UTC) + timedelta(minutes=1))  # type: ignore[arg-type]
    with reading(two.giver.twin.tables.engine) as connection:
        theirs = rows.negotiation_of(connection, two.giver.id, "provider", two.taker.did, begun.pid)
        assert theirs is not None and theirs.state == "TERMINATED"
        said = [one.type for one in rows.messages_of(connection, two.giver.id, theirs.pid)]
    assert said == ["ContractRequestMessage", "ContractNegotiationTerminationMessage"]


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_happens_twice(two: Two) -> None:  # noqa: F811
    class Deaf:
        """Sends, and does not hear the answer."""

        def ask(self, *given: Any, **more: Any) -> Answer:
            two.courier.ask(*given, **more)
            raise StorageFailed("the answer was lost")

    offer = offered(two, ROADS)
    body = {"peer": two.giver.id, "dataset": offer["dataset"], "offer": offer["id"], "author": "Park"}
    pid = two.taker.ask("POST", "/negotiations", body, 201)["pid"]
    assert deliver(two.taker.party, Deaf()) == 1  # type: ignore[arg-type]
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert deliver(two.taker.party, two.courier, clock=lambda: later) == 1  # type: ignore[arg-type]
    with reading(two.giver.twin.tables.engine) as connection:
        theirs = rows.negotiation_of(connection, two.giver.id, "provider", two.taker.did, pid)
        assert theirs is not None
        assert len(rows.messages_of(connection, two.giver.id, theirs.pid)) == 1
    with reading(two.taker.twin.tables.engine) as connection:
        assert rows.negotiation(connection, two.taker.id, pid).peer_pid == theirs.pid


def test_what_is_refused_is_not_said_again_and_the_officer_reads_why(two: Two) -> None:  # noqa: F811
    offer = offered(two, ROADS)
    from twintown.exchange import agreement
    from twintown.trust.terms import Asset, Terms

    policy = agreement.offer("urn:uuid:o", Terms((Asset("layer", "vaults"),)))
    begun = negotiating.request(
        two.taker.party, two.giver.id, offer["dataset"], policy, AUTHOR, datetime.now(UTC)
    )
    two.deliver()
    with reading(two.taker.twin.tables.engine) as connection:
        found = rows.negotiation(connection, two.taker.id, begun.pid)
        row = connection.execute(select(waiting).where(waiting.c.of == begun.pid)).one()
    assert found.state == "TERMINATED" and found.error is not None and "vaults" in str(found.error["reason"])
    assert row.given_up is not None and row.delivered is None


def test_both_end_a_transfer_at_once_and_stand_the_same(two: Two) -> None:  # noqa: F811
    agreement = agreed(two)
    ours, theirs = transfers(two, agreement)
    transferring.complete_transfer(two.taker.party, theirs, datetime.now(UTC))
    transferring.end_transfer(two.giver.party, ours, datetime.now(UTC), reason=["over"])
    two.deliver()
    assert states(two, ours, theirs) == ("TERMINATED", "TERMINATED")


def test_one_suspends_while_the_other_completes_and_both_are_done(two: Two) -> None:  # noqa: F811
    ours, theirs = transfers(two, agreed(two))
    transferring.suspend_transfer(two.giver.party, ours, datetime.now(UTC), reason=["wait"])
    transferring.complete_transfer(two.taker.party, theirs, datetime.now(UTC))
    two.deliver()
    assert states(two, ours, theirs) == ("COMPLETED", "COMPLETED")


def test_who_has_signed_waits_for_the_agreement_to_be_in_force_before_ending_it(two: Two) -> None:  # noqa: F811
    ours, theirs = requested(two, offered(two, ROADS))
    two.giver.ask("POST", f"/negotiations/{ours}/agree", {"author": "Lee"})
    deliver(two.giver.party, two.courier)  # type: ignore[arg-type]
    assert state(two.taker, theirs) == "VERIFIED"
    with pytest.raises(WrongState, match="signed"):
        negotiating.terminate(two.taker.party, theirs, AUTHOR, datetime.now(UTC))
    two.deliver()
    assert state(two.taker, theirs) == state(two.giver, ours) == "FINALIZED"


def test_a_step_leaves_its_message_and_its_entry_in_the_ledger_or_nothing(
    two: Two,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, _ = requested(two, offered(two, ROADS))
    before = len(two.giver.records())

    def full(*_: Any, **__: Any) -> None:
        raise StorageFailed("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "put", full)
        with pytest.raises(StorageFailed):
            negotiating.agree(two.giver.party, ours, AUTHOR, datetime.now(UTC))
    assert state(two.giver, ours) == "REQUESTED" and len(two.giver.records()) == before


def test_a_peer_without_keys_is_not_talked_to(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    from dataclasses import replace

    party = two.taker.party
    bare = replace(party.peers.find(two.giver.id), keys=())
    monkeypatch.setattr(type(party.peers), "find", lambda *_: bare)
    with pytest.raises(Denied, match="no pinned key"):
        negotiating.request(party, two.giver.id, "d", {}, AUTHOR, datetime.now(UTC))


def test_no_token_stays_in_the_outbox_or_among_the_messages(two: Two) -> None:  # noqa: F811
    ours, theirs = transfers(two, agreed(two))
    with reading(two.taker.twin.tables.engine) as connection:
        address: Mapping[str, Any] = rows.transfer(connection, two.taker.id, theirs).address or {}
        token = next(one["value"] for one in address["endpointProperties"] if one["name"] == "authorization")
        kept = str([one.body for one in rows.messages_of(connection, two.taker.id, theirs)])
    with reading(two.giver.twin.tables.engine) as connection:
        kept += str([one.body for one in rows.messages_of(connection, two.giver.id, ours)])
        kept += str(connection.execute(select(waiting.c.body)).scalars().all())
    assert token and token not in kept


def test_there_is_no_step_in_what_is_not_there(two: Two) -> None:  # noqa: F811
    with pytest.raises(NotFound):
        negotiating.accept(two.taker.party, "urn:uuid:none", AUTHOR, datetime.now(UTC))
    with pytest.raises(NotFound):
        transferring.end_transfer(two.taker.party, "urn:uuid:none", datetime.now(UTC))


def transfers(two: Two, agreement: str) -> tuple[str, str]:  # noqa: F811
    """The pids of an agreement's transfer, the giver's first."""
    found = []
    for city in (two.giver, two.taker):
        with reading(city.twin.tables.engine) as connection:
            [one] = rows.transfers_in(connection, city.id, "STARTED", agreement=agreement)
            found.append(one.pid)
    return found[0], found[1]


def states(two: Two, ours: str, theirs: str) -> tuple[str, str]:  # noqa: F811
    found = []
    for city, pid in ((two.giver, ours), (two.taker, theirs)):
        with reading(city.twin.tables.engine) as connection:
            found.append(rows.transfer(connection, city.id, pid).state)
    return found[0], found[1]
