"""Optimistic locking: which state of a feature a caller means to change (RFC 9110, 13.1; RFC 6585, 3)."""

from __future__ import annotations

from dataclasses import dataclass

from twintown.api import answers
from twintown.ground.errors import BadParameter, PreconditionFailed, PreconditionRequired
from twintown.twin.edits import Present


@dataclass(frozen=True)
class Condition:
    """What a caller says of the state that it means to change."""

    layer: str
    item: str
    matches: str | None
    absent: bool
    required: bool

    def hold(self, present: Present | None) -> None:
        """Raises PreconditionFailed, PreconditionRequired."""
        where = f"{self.layer}/{self.item}"
        if self.absent and present is not None:
            raise PreconditionFailed(
                "there is such a feature already", where, "leave If-None-Match away to replace it"
            )
        if self.matches is None:
            if present is not None and self.required and not self.absent:
                raise PreconditionRequired(
                    "which state of the feature is meant is not said",
                    where,
                    "GET it, and send its ETag as If-Match",
                )
        elif present is None:
            raise PreconditionFailed("there is no such feature", where, "leave If-Match away to create it")
        elif not answers.names_tag(self.matches, answers.feature_tag(self.layer, self.item, present.encoded)):
            raise PreconditionFailed(
                "somebody changed the feature meanwhile", where, "GET it again, then decide"
            )

    @classmethod
    def of(
        cls, layer: str, item: str, locking: bool, if_match: str | None, if_none_match: str | None = None
    ) -> Condition:
        """From the headers of a request. Raises BadParameter."""
        absent = if_none_match is not None and if_none_match.strip() == "*"
        if if_none_match is not None and not absent:
            raise BadParameter("If-None-Match", "only * is understood here", remedy="send If-None-Match: *")
        return cls(layer, item, if_match, absent, locking)
