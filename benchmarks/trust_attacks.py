"""Attacks on a server that shares: each is tried against a real one and must be refused by name, change nothing, and be recorded.

    python benchmarks/trust_attacks.py

The attacker has what an attacker of that kind has: a listener's copy of good messages, another city's key, its own pinned key, a token
that has been given to it. Hanoi is a third city that both have pinned and that is up to no good.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
from table import ROOT, Row, free_port, keep, show
from two_cities import WHO, City, offer, two

from twintown.trust.assertions import assert_
from twintown.trust.did import did_of
from twintown.trust.keys import Key, signing_key

CONTEXT = ["https://w3id.org/dspace/2025/1/context.jsonld"]


@dataclass
class Trap:
    """A server that nobody may ever ask: it counts who comes."""

    port: int = field(default_factory=free_port)
    visits: int = 0

    def __post_init__(self) -> None:
        bound = socket.create_server(("127.0.0.1", self.port))

        def wait() -> None:
            while True:
                came, _ = bound.accept()
                self.visits += 1
                came.close()

        Thread(target=wait, daemon=True).start()


@dataclass
class Siege:
    """What the attacks share: the two cities, a third one's key, what was recorded so far."""

    gives: City
    gets: City
    rogue: Key
    rogue_did: str
    trap: Trap = field(default_factory=Trap)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, trust_env=False))

    def did(self, city: City) -> str:
        """The name of a city."""
        return did_of(city.name, f"http://127.0.0.1:{city.port}")

    def signed(self, method: str, path: str, body: bytes, **other: Any) -> dict[str, str]:
        """The headers of a message of Icheon's to Seoul, or of what `other` makes of it."""
        said: dict[str, Any] = {
            "key": signing_key(self.gets.directory), "issuer": self.did(self.gets), "audience": self.did(self.gives),
            "method": method, "url": f"{self.gives.address}/dsp{path}", "body": body, "now": datetime.now(UTC), **other,
        }  # fmt: skip
        token = assert_(**said)
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(
        self, path: str, body: Any, headers: dict[str, str] | None = None, **other: Any
    ) -> httpx.Response:
        """One message to Seoul."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = headers or self.signed("POST", path, raw, **other)
        return self.http.post(f"{self.gives.address}/dsp{path}", content=raw, headers=sent)

    def recorded(self) -> int:
        """Refusals that Seoul has counted."""
        with contextlib.closing(sqlite3.connect(self.gives.directory / "state.db")) as rows:
            return int(rows.execute("SELECT COALESCE(SUM(count), 0) FROM refusals").fetchone()[0])

    def state(self) -> str:
        """A digest of what an attack must not change."""
        with contextlib.closing(sqlite3.connect(self.gives.directory / "state.db")) as rows:
            told = [
                rows.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()
                for table, columns in (
                    ("negotiations", "pid, state, revision"), ("transfers", "pid, state, revision"),
                    ("agreements", "id, state, revision"), ("offers", "id, state"),
                )
            ]  # fmt: skip
        return hashlib.sha256(repr(told).encode()).hexdigest()


def catalogue() -> dict[str, Any]:
    """A harmless question."""
    return {"@context": CONTEXT, "@type": "CatalogRequestMessage"}


def request(siege: Siege, **other: Any) -> dict[str, Any]:
    """A contract request as Icheon writes it."""
    policy = {
        "@id": "urn:uuid:1",
        "@type": "Offer",
        "target": "urn:twintown:seoul:layer:roads",
        "permission": [{"action": "use"}],
    }
    return {
        "@context": CONTEXT, "@type": "ContractRequestMessage", "@id": f"urn:uuid:{uuid4()}", "consumerPid": f"urn:uuid:{uuid4()}",
        "offer": policy, "callbackAddress": f"{siege.gets.address}/dsp", **other,
    }  # fmt: skip


Answers = Iterable[httpx.Response]


def replay(siege: Siege) -> Answers:
    """A listener sends a good message again, twice."""
    raw = json.dumps(catalogue()).encode()
    headers = siege.signed("POST", "/catalog/request", raw)
    assert siege.send("/catalog/request", raw, headers).status_code == 200
    yield siege.send("/catalog/request", raw, headers)
    yield siege.send("/catalog/request", raw, headers)


def forged(siege: Siege) -> Answers:
    """Tokens that nobody signed: another key under Icheon's name, a cut signature, no algorithm, none at all."""
    import base64

    raw = json.dumps(catalogue()).encode()
    yield siege.send("/catalog/request", raw, key=siege.rogue)
    good = siege.signed("POST", "/catalog/request", raw)["Authorization"]
    head, claims, signature = good.removeprefix("Bearer ").split(".")
    other = signature[:-6] + ("AAAAAA" if not signature.endswith("AAAAAA") else "BBBBBB")
    nothing = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for token in (f"{head}.{claims}.{other}", f"{nothing}.{claims}.", f"{head}.{claims}", "x" * 9000):
        yield siege.send("/catalog/request", raw, {"Authorization": f"Bearer {token}"})
    yield siege.send("/catalog/request", raw, {"Content-Type": "application/json"})


def wrong_audience(siege: Siege) -> Answers:
    """What was signed for Hanoi is passed on to Seoul."""
    yield siege.send("/catalog/request", catalogue(), audience=siege.rogue_did)


def expired(siege: Siege) -> Answers:
    """What was signed ten minutes ago, and what is signed for tomorrow."""
    yield siege.send("/catalog/request", catalogue(), now=datetime.now(UTC) - timedelta(minutes=10))
    yield siege.send("/catalog/request", catalogue(), now=datetime.now(UTC) + timedelta(days=1))


def other_message(siege: Siege) -> Answers:
    """A good token beside another body, address or method."""
    raw = json.dumps(catalogue()).encode()
    yield siege.send("/catalog/request", raw + b" ", siege.signed("POST", "/catalog/request", raw))
    yield siege.send("/negotiations/request", raw, siege.signed("POST", "/catalog/request", raw))
    headers = siege.signed("POST", "/catalog/datasets/x", b"")
    yield siege.http.get(f"{siege.gives.address}/dsp/catalog/datasets/x", headers=headers)


def stranger(siege: Siege) -> Answers:
    """A city that nobody has pinned, with a good key of its own."""
    key = Key.of(hashlib.sha256(b"stranger").digest())
    yield siege.send("/catalog/request", catalogue(), key=key, issuer="did:web:stranger.example:twins:far")


def revoked(siege: Siege) -> Answers:
    """A key that Hanoi has revoked, and that Seoul has heard of."""
    from twintown.store.engine import writing
    from twintown.store.schema_shared import peers
    from twintown.twin.layers import Twin

    twin = Twin.open(siege.gives.directory, read_only=False)
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    row = {"public": siege.rogue.public, "by": "", "since": None, "retired": None, "revoked": at}
    with writing(twin.tables.engine) as connection:
        mine = (peers.c.twin == "seoul") & (peers.c.did == siege.rogue_did)
        if connection.execute(peers.update().where(mine).values(keys=[row])).rowcount == 0:
            given = {
                "twin": "seoul",
                "did": siege.rogue_did,
                "address": "",
                "keys": [row],
                "state": "seen",
                "said": {},
            }
            connection.execute(peers.insert().values(given))
    yield siege.send("/catalog/request", catalogue(), key=siege.rogue, issuer=siege.rogue_did)
    with writing(twin.tables.engine) as connection:
        connection.execute(peers.update().where(mine).values(keys=[]))


def reorder(siege: Siege) -> Answers:
    """The messages of a handshake in every wrong order, signed as they should be."""
    pid, ours = begun(siege)
    both = {"@context": CONTEXT, "providerPid": pid, "consumerPid": ours}
    verification = {**both, "@type": "ContractAgreementVerificationMessage"}
    accepted = {**both, "@type": "ContractNegotiationEventMessage", "eventType": "ACCEPTED"}
    finalized = {**both, "@type": "ContractNegotiationEventMessage", "eventType": "FINALIZED"}
    again = {**both, "@type": "ContractRequestMessage", "offer": request(siege)["offer"]}
    for path, body in (
        ("agreement/verification", verification), ("events", accepted), ("events", finalized), ("request", again)
    ):  # fmt: skip
        yield siege.send(f"/negotiations/{pid}/{path}", {**body, "@id": f"urn:uuid:{uuid4()}"})


def meddling(siege: Siege) -> Answers:
    """Hanoi, pinned and with a good key, reads and ends what Icheon negotiates; Icheon names pids that are not its own."""
    pid, ours = begun(siege)
    end = {
        "@context": CONTEXT,
        "@type": "ContractNegotiationTerminationMessage",
        "providerPid": pid,
        "consumerPid": ours,
    }
    who = {"key": siege.rogue, "issuer": siege.rogue_did}
    yield siege.send(f"/negotiations/{pid}/termination", end, **who)
    headers = siege.signed("GET", f"/negotiations/{pid}", b"", **who)
    yield siege.http.get(f"{siege.gives.address}/dsp/negotiations/{pid}", headers=headers)
    yield siege.send(f"/negotiations/{pid}/termination", {**end, "consumerPid": f"urn:uuid:{uuid4()}"})


def forged_agreement(siege: Siege) -> Answers:
    """A consumer that signs nothing, or something else, where its signature over the agreement belongs."""
    pid, ours = begun(siege)
    siege.gives.done("POST", f"/negotiations/{pid}/agree", json=WHO)
    message = {
        "@context": CONTEXT,
        "@type": "ContractAgreementVerificationMessage",
        "providerPid": pid,
        "consumerPid": ours,
    }
    yield siege.send(f"/negotiations/{pid}/agreement/verification", {**message, "@id": "urn:uuid:1"})
    proof = {
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod", "proofValue": "z" + "1" * 87,
        "verificationMethod": f"{siege.did(siege.gets)}#{signing_key(siege.gets.directory).public}", "created": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    yield siege.send(
        f"/negotiations/{pid}/agreement/verification", {**message, "@id": "urn:uuid:2", "proof": proof}
    )


def ssrf(siege: Siege) -> Answers:
    """Addresses for our answers that only Seoul's server can reach, or that are not the sender's."""
    near = f"http://127.0.0.1:{siege.trap.port}"
    base = siege.gets.address
    for address in (
        f"{near}/dsp", "http://169.254.169.254/latest/meta-data", "http://[::1]:22/", "file:///etc/passwd", "gopher://127.0.0.1:25/",
        f"{base}/../../x", f"{base}x/dsp", f"{base}/%2e%2e/%2e%2e/x", base.replace("http://", f"http://127.0.0.1:{siege.trap.port}@"),
        f"{base}/dsp?next={near}", f"{base}/dsp#x", base.replace("127.0.0.1", "localhost"), base.replace("127.0.0.1", "2130706433"), "",
    ):  # fmt: skip
        yield siege.send("/negotiations/request", request(siege, callbackAddress=address))
    transfer = {
        "@context": CONTEXT, "@type": "TransferRequestMessage", "agreementId": "x", "format": "HttpData-PULL", "consumerPid": "y",
        "callbackAddress": f"{near}/dsp",
    }  # fmt: skip
    yield siege.send("/transfers/request", transfer)


def remote_context(siege: Siege) -> Answers:
    """Contexts and schemas that would have to be fetched."""
    near = f"http://127.0.0.1:{siege.trap.port}/context"
    for context in ([near], [*CONTEXT, near], [*CONTEXT, {"@import": near}], {"@vocab": near}, near):
        yield siege.send("/catalog/request", {**catalogue(), "@context": context})
    yield siege.send("/negotiations/request", request(siege, **{"$schema": near, "@context": [near]}))


def json_bombs(siege: Siege) -> Answers:
    """Bodies that are dear to read."""
    head = b'{"@context":["' + CONTEXT[0].encode() + b'"],"@type":"CatalogRequestMessage","filter":'
    for raw in (
        b"[" * 100_000, b'{"a":' * 50_000, head + b"[" * 40 + b"]" * 40 + b"}", head + b'["' + b"x" * 400_000 + b'"]}',
        head + b"[" + b"1," * 120_000 + b"1]}", head + b"[" + b"9" * 200_000 + b"]}", head + b"[1e99999999999]}",
        b'{"a":1,"a":2}', b"\xff\xfe\x00", b'"\\ud800"', b"", head + b'["\\u0000"]}', head + b"[NaN]}",
    ):  # fmt: skip
        begun_at = time.monotonic()
        yield siege.send("/catalog/request", raw)
        assert time.monotonic() - begun_at < 5, "a bomb went off"


def without_agreement(siege: Siege) -> Answers:
    """A transfer of an agreement that is not, or is another city's."""
    agreement, _ = agreed(siege)
    message = {
        "@context": CONTEXT, "@type": "TransferRequestMessage", "agreementId": agreement, "format": "HttpData-PULL",
        "consumerPid": f"urn:uuid:{uuid4()}", "callbackAddress": "http://127.0.0.1:9/twins/hanoi/dsp",
    }  # fmt: skip
    yield siege.send("/transfers/request", message, key=siege.rogue, issuer=siege.rogue_did)
    other = {**message, "callbackAddress": f"{siege.gets.address}/dsp"}
    yield siege.send("/transfers/request", {**other, "agreementId": "urn:uuid:none"})
    yield siege.send("/transfers/request", {**other, "format": "HttpData-PUSH"})


def beyond_the_agreement(siege: Siege) -> Answers:
    """A good token for what it is not for: other layers, other purposes, writing, computing, the doors of officers."""
    _, token = agreed(siege)
    at = siege.gives.address
    good = {"Authorization": f"Bearer {token}", "Twintown-Purpose": "planning"}
    assert siege.http.get(f"{at}/collections/roads/items?limit=1", headers=good).status_code == 200
    for path in (
        "/collections/buildings/items", "/collections/vaults/items", "/collections/roads/items?limit=1", "/tiles/buildings",
        "/offers", "/negotiations", "/agreements", "/ledger/entries", "/accounts", "/releases", "/partners",
    ):  # fmt: skip
        purpose = "advertising" if path.endswith("limit=1") else "planning"
        yield siege.http.get(f"{at}{path}", headers={**good, "Twintown-Purpose": purpose})
    yield siege.http.post(f"{at}/processes/sunlight/execution", json={"inputs": {}}, headers=good)
    yield siege.http.post(
        f"{at}/processes/echo/execution", json={"inputs": {"layer": "vaults"}}, headers=good
    )
    feature = {"type": "Feature", "id": "x", "geometry": None, "properties": {}}
    yield siege.http.post(f"{at}/collections/roads/items", json=feature, headers=good)


def after_the_end(siege: Siege) -> Answers:
    """The token of an agreement that was suspended, and of one that was ended."""
    for word, way in (("suspension", "POST"), ("end", "POST")):
        agreement, token = agreed(siege)
        siege.gives.done(way, f"/agreements/{agreement}/{word}", json={"why": "attacked", **WHO})
        headers = {"Authorization": f"Bearer {token}", "Twintown-Purpose": "planning"}
        yield siege.http.get(f"{siege.gives.address}/collections/roads/items?limit=1", headers=headers)
        yield siege.http.get(f"{siege.gives.address}/collections/roads", headers=headers)


def begun(siege: Siege) -> tuple[str, str]:
    """A negotiation of Icheon's that Seoul knows: Seoul's pid and Icheon's."""
    found = siege.gets.done("GET", f"/peers/{siege.gives.name}/catalogue")["datasets"][0]
    deal = {"peer": siege.gives.name, "dataset": found["id"], "offer": found["offers"][0]["id"], **WHO}
    ours = siege.gets.done("POST", "/negotiations", json=deal)["pid"]
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        with contextlib.closing(sqlite3.connect(siege.gives.directory / "state.db")) as rows:
            pid = rows.execute("SELECT pid FROM negotiations WHERE peer_pid = ?", (ours,)).fetchone()
        if pid:
            return str(pid[0]), ours
        time.sleep(0.02)
    raise RuntimeError("the request did not arrive")


def agreed(siege: Siege) -> tuple[str, str]:
    """An agreement in force and the token that Icheon got for it."""
    from faults_trust import token_of

    pid, ours = begun(siege)
    siege.gives.done("POST", f"/negotiations/{pid}/agree", json=WHO)
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        found = siege.gets.done("GET", f"/negotiations/{ours}").get("agreement")
        if found and (token := token_of(siege.gets, found)):
            return str(found), token.removeprefix("Bearer ")
        time.sleep(0.02)
    raise RuntimeError("the agreement did not come")


#: What the attack is called, who tries it, and whether it may change anything by what it has to set up first.
ATTACKS: tuple[tuple[str, Callable[[Siege], Answers]], ...] = (
    ("replay of a good message", replay), ("forged signature", forged), ("wrong audience", wrong_audience),
    ("expired, or not yet", expired), ("a good token beside another message", other_message), ("an unknown city", stranger),
    ("a revoked key", revoked), ("messages in a wrong order", reorder), ("another city meddles", meddling),
    ("forged signature under an agreement", forged_agreement), ("SSRF by callbackAddress", ssrf),
    ("remote contexts and schemas", remote_context), ("JSON bombs", json_bombs), ("a transfer without its agreement", without_agreement),
    ("more than the agreement gives, confused deputy", beyond_the_agreement), ("after suspension and end", after_the_end),
)  # fmt: skip


def rows() -> Iterable[Row]:
    """One row an attack: how many attempts, how many were not refused, how many were not recorded."""
    with two() as (gives, gets):
        from twintown.trust.peer_file import pin
        from twintown.trust.peers import Peer

        key = Key.of(hashlib.sha256(b"hanoi").digest())
        hanoi = Peer.of(
            "hanoi", {"address": "http://127.0.0.1:9/twins/hanoi", "keys": [key.public], "country": "VN"}
        )
        for city in (gives, gets):
            pin(city.directory, hanoi)
        siege = Siege(gives, gets, key, hanoi.did)
        offer(gives, gets)
        for name, attack in ATTACKS:
            yield one(siege, name, attack)
        visits = siege.trap.visits
        yield Row("requests that left for other addresses", visits, "requests", "0", not visits)
    yield leaks()


def leaks() -> Row:
    """Leaks by count, filter, tile, entity tag, error, time: the flow's own tests, counted; a test that was skipped is short."""
    import subprocess
    from xml.etree import ElementTree

    report = ROOT / "build" / "leaks.xml"
    report.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "tests/flows/test_leaks.py", f"--junitxml={report}"]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    suite = next(ElementTree.parse(report).iter("testsuite"))
    tried = int(suite.get("tests", 0))
    let = sum(int(suite.get(name, 0)) for name in ("failures", "errors", "skipped"))
    return Row(
        "leaks by count, filter, tile, tag, error, time", let, f"of {tried}", "0", not let and tried > 0
    )


def one(siege: Siege, name: str, attack: Callable[[Siege], Answers]) -> Row:
    """Try one attack."""
    let, unrecorded, tried, said = 0, 0, 0, set[str]()
    attempts = iter(attack(siege))
    while True:
        # what an attack sets up happens before its first attempt, so the state is looked at between the attempts
        answer = next(attempts, None)
        if answer is None:
            break
        tried += 1
        through = not 400 <= answer.status_code < 500
        let += through
        said.add(code_of(answer))
        if through:
            print(
                f"       let through: {name}: {answer.request.url} {answer.status_code} {answer.text[:200]}",
                flush=True,
            )
    ends = time.monotonic() + 5
    before = SEEN.get(id(siege), 0)
    while (now := siege.recorded()) < before + tried and time.monotonic() < ends:
        time.sleep(0.05)
    unrecorded = max(0, before + tried - now)
    SEEN[id(siege)] = now
    good = not let and not unrecorded and tried > 0
    note = f"{unrecorded} not recorded; " if unrecorded else ""
    return Row(
        f"{name}: let through", let, f"of {tried}", "0, recorded", good, note=note + ", ".join(sorted(said))
    )


#: Refusals recorded before the present attack.
SEEN: dict[int, int] = {}


def code_of(answer: httpx.Response) -> str:
    """By what name an attempt was refused."""
    try:
        body = answer.json()
    except ValueError:
        return str(answer.status_code)
    return str(body.get("code") or str(body.get("type", "")).rpartition(":")[2] or answer.status_code)


if __name__ == "__main__":
    found = []
    for row in rows():
        show([row])
        found.append(row)
    sys.exit(keep(found, "trust-attacks"))
