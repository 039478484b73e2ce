"""Terms as ODRL and back: the small closed profile `urn:twintown:odrl:1` of ODRL 2.2, in the shape of Dataspace Protocol 2025-1.

    permission   use        twintown:asset isAnyOf [kind:id, …]; odrl:purpose isAnyOf [code, …]; odrl:spatial isPartOf a box (WKT, CRS84);
                            odrl:dateTime gteq since, lteq until (UTC); twintown:finestResolution gteq metres, odrl:unit m
    prohibition  distribute
    obligation   delete     odrl:dateTime lteq moment
                 attribute  twintown:attribution eq text

One permission, at most one prohibition, at most one duty of each kind. Whatever else a policy holds is refused by its name and
place: a term that only one side understands binds nobody. Pure: what a term means is `trust/terms`, who may what `trust/policy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from twintown.exchange import odrl
from twintown.trust.terms import Terms


@dataclass(frozen=True, slots=True)
class Deed:
    """A policy that was read: an offer or an agreement.

    Attributes:
        kind: `Offer` or `Agreement`.
        id: its `@id`.
        terms: what it means.
        target: the dataset ("" in a catalogue, where the dataset stands around it).
        assigner, assignee: DIDs of who gives and who gets ("" where it does not say).
        at: when it was agreed; None for an offer.
    """

    kind: Literal["Offer", "Agreement"]
    id: str
    terms: Terms
    target: str = ""
    assigner: str = ""
    assignee: str = ""
    at: datetime | None = None


def offer(
    id: str, terms: Terms, *, target: str = "", assigner: str = "", assignee: str = ""
) -> dict[str, Any]:
    """An `Offer`: in a catalogue without a target, in a message with the dataset's id as `target`.

    Raises:
        BadData: terms that the profile cannot say (no asset, a resolution below 0, a time without a zone).
    """
    said: dict[str, Any] = {"@id": id, "@type": "Offer"}
    said |= {k: v for k, v in (("target", target), ("assigner", assigner), ("assignee", assignee)) if v}
    return said | rules(terms)


def agreement(
    id: str, terms: Terms, *, target: str, assigner: str, assignee: str, at: datetime
) -> dict[str, Any]:
    """An `Agreement`: what both sign. `at` is its moment, whole seconds. Raises BadData like `offer`."""
    return {
        "@id": id, "@type": "Agreement", "target": target, "assigner": assigner, "assignee": assignee,
        "timestamp": odrl.moment_text(at.replace(microsecond=0)), **rules(terms),
    }  # fmt: skip


def rules(terms: Terms) -> dict[str, Any]:
    """The members of a policy that say its terms. Raises BadData."""
    if (
        not terms.assets
        or len(terms.assets) > odrl.MOST_ASSETS
        or len(set(terms.assets)) != len(terms.assets)
    ):
        raise odrl.wrong("assets", f"name 1 to {odrl.MOST_ASSETS} assets, each once")
    constraints = [odrl.constraint("twintown:asset", "isAnyOf", [str(asset) for asset in terms.assets])]
    if terms.purposes:
        for number, code in enumerate(terms.purposes):
            odrl.purpose(code, f"purposes[{number}]")
        if len(set(terms.purposes)) != len(terms.purposes) or len(terms.purposes) > odrl.MOST_PURPOSES:
            raise odrl.wrong("purposes", f"name at most {odrl.MOST_PURPOSES} purposes, each once")
        constraints.append(odrl.constraint("odrl:purpose", "isAnyOf", list(terms.purposes)))
    if terms.area is not None:
        constraints.append(odrl.constraint("odrl:spatial", "isPartOf", odrl.box_value(terms.area)))
    if terms.since is not None:
        constraints.append(odrl.constraint("odrl:dateTime", "gteq", odrl.moment_text(terms.since, "since")))
    if terms.until is not None:
        if terms.since is not None and terms.since >= terms.until:
            raise odrl.wrong("until", "an agreement ends after it has begun")
        constraints.append(odrl.constraint("odrl:dateTime", "lteq", odrl.moment_text(terms.until, "until")))
    if terms.finest_m:
        value = odrl.metres(repr(float(terms.finest_m)), "finest_m")
        constraints.append(
            {**odrl.constraint("twintown:finestResolution", "gteq", repr(value)), "odrl:unit": "m"}
        )
    said: dict[str, Any] = {
        "profile": odrl.PROFILE,
        "permission": [{"action": "use", "constraint": constraints}],
    }
    if terms.no_resharing:
        said["prohibition"] = [{"action": "odrl:distribute"}]
    duties = []
    if terms.delete_by is not None:
        limit = odrl.constraint("odrl:dateTime", "lteq", odrl.moment_text(terms.delete_by, "delete_by"))
        duties.append({"action": "odrl:delete", "constraint": [limit]})
    if terms.attribution:
        text = odrl.text(terms.attribution, "attribution", odrl.LONGEST_TEXT)
        duties.append(
            {"action": "odrl:attribute", "constraint": [odrl.constraint("twintown:attribution", "eq", text)]}
        )
    return said | ({"obligation": duties} if duties else {})


def read(policy: Any, where: str = "policy") -> Deed:
    """What an offer or an agreement says.

    Args:
        policy: the JSON object of a DSP message or catalogue.
        where: what stands before the place in an error.

    Raises:
        BadData: no policy of the profile; the first term that it does not know, by name and place.
    """
    if not isinstance(policy, Mapping):
        raise odrl.wrong(where, "a policy is a JSON object")
    kind = policy.get("@type")
    members = {"@id", "@type", "profile", "permission", "prohibition", "obligation", "target", "assigner"}
    if kind == "Offer":
        odrl.known(policy, members | {"assignee"}, where)
    elif kind == "Agreement":
        odrl.known(policy, members | {"assignee", "timestamp"}, where)
        for name in ("target", "assigner", "assignee", "timestamp"):
            if name not in policy:
                raise odrl.wrong(f"{where}.{name}", "an agreement says it")
    else:
        raise odrl.wrong(f"{where}.@type", f"{odrl.seen(kind)} is neither Offer nor Agreement")
    profile = policy.get("profile")
    if profile not in (odrl.PROFILE, [odrl.PROFILE]):
        raise odrl.wrong(f"{where}.profile", f"{odrl.seen(profile)} is not known here; {odrl.PROFILE} is")
    parties = {
        name: odrl.text(policy[name], f"{where}.{name}", odrl.LONGEST) if name in policy else ""
        for name in ("target", "assigner", "assignee")
    }
    at = odrl.moment(policy["timestamp"], f"{where}.timestamp") if kind == "Agreement" else None
    return Deed(
        kind,
        odrl.text(policy.get("@id"), f"{where}.@id", odrl.LONGEST),
        _terms(policy, where),
        at=at,
        **parties,
    )


def _terms(policy: Mapping[str, Any], where: str) -> Terms:
    at = f"{where}.permission"
    (permission,) = odrl.listed(policy.get("permission"), at, 1, 1)
    _rule(permission, f"{at}[0]", ("use",))
    found: dict[str, Any] = {}
    for number, one in enumerate(odrl.listed(permission.get("constraint"), f"{at}[0].constraint", 1, 12)):
        name, value = _permitted(one, f"{at}[0].constraint[{number}]")
        if name in found:
            raise odrl.wrong(f"{at}[0].constraint[{number}]", f"limits {name} once more")
        found[name] = value
    if "assets" not in found:
        raise odrl.wrong(f"{at}[0].constraint", "names no twintown:asset")
    if found.get("since") and found.get("until") and found["since"] >= found["until"]:
        raise odrl.wrong(f"{at}[0].constraint", "the agreement would end before it has begun")
    if "prohibition" in policy:
        (prohibition,) = odrl.listed(policy["prohibition"], f"{where}.prohibition", 1, 1)
        _rule(prohibition, f"{where}.prohibition[0]", ("distribute",), bare=True)
        found["no_resharing"] = True
    duties = odrl.listed(policy["obligation"], f"{where}.obligation", 1, 2) if "obligation" in policy else []
    for number, duty in enumerate(duties):
        place = f"{where}.obligation[{number}]"
        name, value = _duty(duty, place)
        if name in found:
            raise odrl.wrong(place, "says a duty once more")
        found[name] = value
    return Terms(**found)


def _permitted(one: Any, where: str) -> tuple[str, Any]:
    """One constraint of the permission: which term it is, and its value."""
    operand, operator, value = _atom(one, where, unit="twintown:finestResolution")
    right = f"{where}.rightOperand"
    match operand, operator:
        case "twintown:asset", "isAnyOf":
            texts = [
                odrl.text(v, right, odrl.LONGEST) for v in odrl.listed(value, right, 1, odrl.MOST_ASSETS)
            ]
            return "assets", tuple(odrl.asset(text, right) for text in odrl.once(texts, right))
        case "purpose", "isAnyOf":
            codes = [odrl.purpose(v, right) for v in odrl.listed(value, right, 1, odrl.MOST_PURPOSES)]
            return "purposes", tuple(odrl.once(codes, right))
        case "spatial", "isPartOf":
            return "area", odrl.box(value, right)
        case "dateTime", "gteq":
            return "since", odrl.moment(value, right)
        case "dateTime", "lteq":
            return "until", odrl.moment(value, right)
        case "twintown:finestResolution", "gteq":
            if one.get("odrl:unit") != "m":
                raise odrl.wrong(
                    f"{where}.odrl:unit", f"{odrl.seen(one.get('odrl:unit'))} is not known; write m"
                )
            return "finest_m", odrl.metres(value, right)
    known = ("twintown:asset", "purpose", "spatial", "dateTime", "twintown:finestResolution")
    if operand not in known:
        raise odrl.wrong(f"{where}.leftOperand", f"the profile has no operand {odrl.seen(operand)}")
    raise odrl.wrong(f"{where}.operator", f"{odrl.seen(operator)} does not go with {operand}")


def _duty(duty: Any, where: str) -> tuple[str, Any]:
    action = _rule(duty, where, ("delete", "attribute"))
    (one,) = odrl.listed(duty.get("constraint"), f"{where}.constraint", 1, 1)
    operand, operator, value = _atom(one, f"{where}.constraint[0]")
    right = f"{where}.constraint[0].rightOperand"
    if (action, operand, operator) == ("delete", "dateTime", "lteq"):
        return "delete_by", odrl.moment(value, right)
    if (action, operand, operator) == ("attribute", "twintown:attribution", "eq"):
        return "attribution", odrl.text(value, right, odrl.LONGEST_TEXT)
    raise odrl.wrong(
        f"{where}.constraint[0]", f"{odrl.seen(operand)} {odrl.seen(operator)} does not go with {action}"
    )


def _rule(rule: Any, where: str, actions: Sequence[str], *, bare: bool = False) -> str:
    if not isinstance(rule, Mapping):
        raise odrl.wrong(where, "a rule is a JSON object")
    odrl.known(rule, {"action"} if bare else {"action", "constraint"}, where)
    action = odrl.plain(rule.get("action"))
    if action not in actions:
        raise odrl.wrong(f"{where}.action", f"the profile has no action {odrl.seen(rule.get('action'))} here")
    return str(action)


def _atom(one: Any, where: str, unit: str = "") -> tuple[Any, Any, Any]:
    if not isinstance(one, Mapping):
        raise odrl.wrong(where, "a constraint is a JSON object")
    operand = odrl.plain(one.get("leftOperand"))
    members = {"leftOperand", "operator", "rightOperand"}
    odrl.known(one, members | {"odrl:unit"} if unit and operand == unit else members, where)
    for name in sorted(members - set(one)):
        raise odrl.wrong(f"{where}.{name}", "a constraint says it")
    return operand, odrl.plain(one["operator"]), one["rightOperand"]
