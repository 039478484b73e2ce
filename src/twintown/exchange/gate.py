"""The release gate: what stands between an asset and those whom it shall go to. It asks every check, and a person decides.

    answer = question(twin, grant, asset, audience, terms, now)     # kept; refused, allowed, or waiting for a person
    decide(twin, grant, answer.id, allow, why, now)                 # by whom `release` lets, in one transaction with the ledger

Whoever makes an offer asks first and lets it stand only while `verdict` is `allowed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from twintown.ground.errors import BadInput, Conflict
from twintown.store.engine import writing
from twintown.trust.grades import Grade
from twintown.trust.grant import Grant
from twintown.trust.ledger import record_in
from twintown.trust.terms import Asset, Terms
from twintown.twin.layers import Twin

from .findings import Finding, heaviest_first
from .matter import Matter, matter_of
from .release import Release, audience_of, state_of
from .release_layers import keep, lowered
from .release_rows import Releases, record_of
from .released import known_to
from .remedies import Applied, apply, offered, proposed
from .rules_combination import check_combination
from .rules_difference import check_difference
from .rules_licence import check_licence, licences_of
from .rules_personal import check_personal
from .rules_sites import check_sites
from .rules_spatial import check_grade, check_spatial

#: The longest reason of a decision, characters.
LONGEST_WHY = 2000


def look(
    twin: Twin, grant: Grant, asset: Asset | str, audience: str, terms: Terms | None, now: datetime, *, said_by: str = "",
    remedied: bool = True,
) -> Release:  # fmt: skip
    """The gate's answer, without keeping it.

    Args:
        asset: what shall go.
        audience: `anyone`, `peers` or the DID of a peer.
        terms: under which; none for what is published.
        said_by: the name that somebody typed whom nothing identifies.
        remedied: whether to look for remedies too.

    Raises:
        NotFound: there is no such asset.
        BadInput: an audience or an asset that is none.
        Unauthenticated, Denied: the Grant does not let the asker see what the gate must look at.
    """
    what = asset if isinstance(asset, Asset) else Asset.of(asset)
    whom = audience_of(audience)
    under = terms or Terms((what,))
    matter = matter_of(twin, grant, what, whom, under)
    findings = examine(matter)
    remedies = offered(matter, findings, examine) if remedied else ()
    return Release(
        "", what, matter.version, whom, under, findings, grant.subject.author(said_by), now, now, remedies, state_of(findings)
    )  # fmt: skip


def question(
    twin: Twin, grant: Grant, asset: Asset | str, audience: str, terms: Terms | None, now: datetime, *, said_by: str = ""
) -> Release:  # fmt: skip
    """Ask the gate and keep its answer; the same matter is asked once, and keeps the decision that it has.

    Raises: as `look`, and StorageFailed.
    """
    found = look(twin, grant, asset, audience, terms, now, said_by=said_by)
    return Releases(twin.writing().tables).add(found)


def decide(
    twin: Twin, grant: Grant, id: str, allow: bool, why: str, now: datetime, *, said_by: str = ""
) -> Release:
    """A person lets it go or not; kept together with its entry in the ledger.

    Args:
        grant: to `release`.
        why: the reason, which a refusal and the lifting of a doubt both need.

    Raises:
        NotFound: there is no such release.
        Unauthenticated, Denied: this caller decides nothing here.
        BadInput: no reason.
        Conflict: it was decided already, cannot be decided (what is forbidden stays so), or the layer has changed meanwhile.
        StorageFailed: nothing was kept.
    """
    if grant.action != "release":
        raise ValueError("a Grant to release is needed")  # a slip of ours
    grant.require(what=id)
    if not why.strip() or len(why) > LONGEST_WHY:
        raise BadInput(f"a decision needs its reason, at most {LONGEST_WHY} characters", "why", "say why")
    rows = Releases(twin.writing().tables)
    release = rows.get(id)
    if release.state == "refused" and allow:
        raise Conflict(
            "what is forbidden cannot be allowed by a decision", id,
            "apply a remedy or change the terms, and ask again",
        )  # fmt: skip
    if release.state != "waiting":
        raise Conflict(f"it is {release.state} already", id, "ask the gate again")
    decision = {
        "by": grant.subject.author(said_by), "at": now.isoformat(), "allow": allow, "why": why.strip(), "grade": "",
    }  # fmt: skip
    decided = replace(release, state="granted" if allow else "denied", decision=decision, updated=now)
    if not allow:
        with writing(rows.engine, fresh=True) as connection:
            _kept(connection, rows, decided, now)
        return decided
    reader = replace(
        grant, action="read", grade=max(grant.grade, Grade.S)
    )  # who may decide lets the gate look at it
    again = look(twin, reader, release.asset, release.audience, release.terms, now, remedied=False)
    if again.mark != release.mark:
        raise Conflict("what was asked about has changed meanwhile", id, "ask the gate again")
    matter = matter_of(twin, reader, release.asset, release.audience, release.terms)
    with lowered(matter, id) as staged:
        grade = staged.grade.value if staged else matter.grade.value
        result = staged.layer if staged and staged.layer != release.asset.id else ""
        decided = replace(decided, decision={**decision, "grade": grade}, result=result)
        with writing(rows.engine, fresh=True) as connection:
            _kept(connection, rows, decided, now)
            if staged is not None:
                rows.tables.switch_in(connection, {staged.layer: staged.version})
    twin.watch.touch()
    return decided


def _kept(connection: Connection, rows: Releases, decided: Release, now: datetime) -> None:
    rows.change_in(connection, decided, "waiting")
    record_in(connection, rows.tables, "release", record_of(decided), now)


def preview(twin: Twin, grant: Grant, id: str, kind: str, parameters: Mapping[str, Any] | None) -> Applied:
    """What a remedy would make of the asset of a release, looked at by the same gate; nothing is kept.

    Args:
        parameters: none for those that the gate has offered, or would try first where it offered none.

    Raises:
        NotFound, Unauthenticated, Denied, BadParameter, NotPossible, TooLarge: as `remedies.apply`.
        Conflict: the layer has changed since the question.
    """
    release = Releases(twin.tables).get(id)
    matter = _matter(twin, grant, release)
    if parameters is None:
        known = next((one.parameters for one in release.remedies if one.kind == kind), None)
        parameters = known if known is not None else proposed(matter, release.findings, kind)
    return apply(matter, release.findings, kind, parameters, examine)


def remedy(
    twin: Twin, grant: Grant, id: str, kind: str, parameters: Mapping[str, Any], now: datetime, *, said_by: str = ""
) -> Release:  # fmt: skip
    """Apply a remedy: a new layer `<layer>-release-<n>`, graded as the asset is, and the gate's answer to letting that one go.

    Raises: as `preview`, and Busy, StorageFailed.
    """
    if grant.action not in ("share", "release"):
        raise ValueError("a Grant to share or to release is needed")  # a slip of ours
    grant.require(what=id)
    release = Releases(twin.tables).get(id)
    matter = _matter(twin, grant, release)
    made = apply(matter, release.findings, kind, parameters, examine)
    layer = keep(
        matter,
        made.shape,
        {"release": id, "remedy": made.remedy.kind, "parameters": dict(made.remedy.parameters)},
    )
    asset = Asset("layer", layer)
    others = tuple(asset if one == release.asset else one for one in release.terms.assets)
    return question(
        twin, grant, asset, release.audience, replace(release.terms, assets=others), now, said_by=said_by
    )


def _matter(twin: Twin, grant: Grant, release: Release) -> Matter:
    matter = matter_of(twin, grant, release.asset, release.audience, release.terms)
    if matter.version != release.version:
        raise Conflict("the layer has changed since the question", release.id, "ask the gate again")
    return matter


def examine(matter: Matter) -> tuple[Finding, ...]:
    """Every check on one matter, what forbids first.

    What anyone may read already gives a peer nothing new: then only the licences weigh, and the rest is noted.
    """
    if not matter.parts:  # a playbook holds no data: know-how of the city's own
        return ()
    own = licences_of(matter.rules.licences)
    found = list(check_licence(matter.provenance, matter.work, matter.terms, matter.audience, own))
    found += check_grade(matter)
    looked = [*check_spatial(matter), *check_sites(matter), *check_personal(matter)]
    if matter.open:
        return heaviest_first([*found, *(replace(one, severity="notes") for one in looked)])
    known = known_to(matter) if matter.content is not None else ()
    return heaviest_first(
        [*found, *looked, *check_combination(matter, known), *check_difference(matter, known)]
    )
