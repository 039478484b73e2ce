"""The policies that `policy.decide` decides by: the house's, and what a twin adds in its folder `policies/`.

A twin's own policies (`policies/*.cedar`, read when the twin is opened) may forbid anything, and may permit something to the twin's
own people only. They never open a grade, a token's scope or an agreement wider: a forbid of the house outweighs every permit.
The language is Cedar (cedarpolicy.com); `policies/house.cedarschema` says what a policy may ask about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twintown.ground.errors import BadSettings, StorageFailed

if TYPE_CHECKING:
    from cedarpy import PolicySet

FOLDER = "policies"
#: The types of those who ask, as the schema names them.
KINDS = ("Anyone", "Owner", "Person", "Service", "Peer")


@dataclass(frozen=True, eq=False)
class Rules:
    """Policies, parsed once.

    Attributes:
        sets: those that can concern somebody of this type.
        said: by type and the engine's name of a policy: its place in the text, code and reason.
        layers: that a twin's own policies name; a Grant for the whole twin says which of them it leaves out.
    """

    sets: Mapping[str, PolicySet]
    said: Mapping[str, Mapping[str, tuple[int, str, str]]]
    layers: tuple[str, ...] = ()


@cache
def house() -> Rules:
    """The policies of the house alone."""
    return _rules(_own(), ())


def rules_of(directory: Path) -> Rules:
    """The house's policies and those of a twin.

    Raises:
        BadSettings: a policy of the twin cannot be read, asks about what there is not, or permits something to others than the
            twin's people; it names the file and the policy.
        StorageFailed: a file cannot be read.
    """
    folder = directory / FOLDER
    files = sorted(folder.glob("*.cedar")) if folder.is_dir() else []
    if not files:
        return house()
    added: list[dict[str, Any]] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StorageFailed("cannot read the twin's policies", str(file)) from error
        added.extend(_checked(text, str(file)))
    layers = {name for policy in added for name in _layers(policy)}
    return _rules([*_own(), *added], tuple(sorted(layers)))


def _own() -> list[dict[str, Any]]:
    import cedarpy

    text = (resources.files("twintown.trust") / FOLDER / "house.cedar").read_text(encoding="utf-8")
    return _policies(cedarpy.policies_to_json_str(text))


def schema() -> str:
    """What the policies may ask about, as a Cedar schema."""
    return (resources.files("twintown.trust") / FOLDER / "house.cedarschema").read_text(encoding="utf-8")


def _policies(said: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(said)["staticPolicies"]
    return [found[key] for key in sorted(found, key=lambda key: int(key.removeprefix("policy")))]


def _checked(text: str, where: str) -> list[dict[str, Any]]:
    import cedarpy

    try:
        said = cedarpy.policies_to_json_str(text)
        if json.loads(said)["templates"]:
            raise BadSettings("a policy has a slot", where, "write whom and what it is about")
        wrong = cedarpy.validate_policies(text, schema()).errors
    except ValueError as error:
        raise BadSettings(f"is not Cedar: {str(error)[:300]}", where, "mend that policy") from error
    if wrong:
        raise BadSettings(f"a policy cannot hold: {str(wrong[0])[:300]}", where, "see house.cedarschema")
    policies = _policies(said)
    for number, policy in enumerate(policies):
        name = (policy.get("annotations") or {}).get("id") or ""
        here = f"{where}: {name or f'policy {number + 1}'}"
        if not name:
            raise BadSettings("a policy has no code", here, 'write @id("…") above it')
        if policy["effect"] == "permit" and policy["principal"] != {"op": "is", "entity_type": "Person"}:
            raise BadSettings(
                "permits something to others than the twin's people",
                here,
                "write `permit (principal is Person, …)`",
            )
        if policy["effect"] == "permit" and next(_layers(policy), None) is not None:
            raise BadSettings(
                "permits one layer by its name",
                here,
                "give the layer its grade and people their roles; here it can only be forbidden",
            )
        if policy["effect"] == "permit":
            _at_home(policy)
    return policies


def _at_home(policy: dict[str, Any]) -> None:
    """Only people of this very twin: those of another twin on the same server have no part in it."""
    here = {".": {"left": {"Var": "principal"}, "attr": "here"}}
    policy.setdefault("conditions", []).insert(0, {"kind": "when", "body": here})


def _layers(policy: object) -> Iterator[str]:
    """The layers that a policy names, wherever in it."""
    if isinstance(policy, dict):
        if policy.get("type") == "Layer" and isinstance(policy.get("id"), str):
            yield policy["id"]
        for value in policy.values():
            yield from _layers(value)
    elif isinstance(policy, list):
        for value in policy:
            yield from _layers(value)


def _rules(policies: list[dict[str, Any]], layers: tuple[str, ...]) -> Rules:
    import cedarpy

    sets: dict[str, PolicySet] = {}
    said: dict[str, dict[str, tuple[int, str, str]]] = {}
    for kind in KINDS:
        mine = {f"policy{i}": one for i, one in enumerate(policies) if _concerns(one, kind)}
        whole = {"templates": {}, "staticPolicies": mine, "templateLinks": []}
        sets[kind] = cedarpy.PolicySet.from_json_str(json.dumps(whole))
        notes = {key: one.get("annotations") or {} for key, one in mine.items()}
        said[kind] = {
            key: (
                int(key.removeprefix("policy")),
                str(note.get("id") or "policy"),
                str(note.get("reason") or ""),
            )
            for key, note in notes.items()
        }
    return Rules(sets, said, layers)


def _concerns(policy: Mapping[str, Any], kind: str) -> bool:
    whom = policy["principal"]
    return bool(whom["op"] != "is" or whom["entity_type"] == kind)
