"""What the leaderboard keeps: scores, matches, runs on maps, challenges.

A score has two sides: that of the current round, which a negative score lowers, and the total, which only
grows. A dozen players are there from the beginning, so that a list has something to show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from launcher.sandbox.metapro.accounts import Accounts

__all__ = ["Scores"]

_PLAYERS = (
    "ada", "brunel", "curie", "dirac", "euler", "franklin", "goedel", "hopper", "ibn_sina", "joule", "kepler",
    "lovelace",
)  # fmt: skip

MAPS = ("harbour", "quarry", "orchard")


@dataclass(slots=True)
class _Score:
    current: float = 0
    total: float = 0


@dataclass(slots=True)
class Scores:
    """All of one leaderboard, by Metapro ID."""

    players: dict[str, _Score] = field(default_factory=dict)
    matches: set[str] = field(default_factory=set)
    runs: list[dict[str, Any]] = field(default_factory=list)

    def invite_players(self, accounts: Accounts) -> None:
        """Make the accounts that play already, and their scores."""
        for place, name in enumerate(_PLAYERS):
            account = accounts.create(details={"username": name}, points=100 - place)
            self.players[account.user_id] = _Score(1200 - 75 * place, 4800 - 310 * place)
            self.runs.append(_run(account.user_id, MAPS[place % len(MAPS)], 90 - place))

    def add(self, user_id: str, points: float) -> dict[str, Any]:
        score = self.players.setdefault(user_id, _Score())
        score.current += points
        score.total += max(points, 0)
        return _sides(score)

    def hand_over(self, old: str, new: str) -> None:
        """Give what one account has to another."""
        if old in self.players:
            score, had = self.players.setdefault(new, _Score()), self.players.pop(old)
            score.current, score.total = score.current + had.current, score.total + had.total
        for run in self.runs:
            run["userId"] = new if run["userId"] == old else run["userId"]

    def ranking(self) -> list[dict[str, Any]]:
        """Everybody, best first: `ScoreTotal` of the documentation."""
        ranked = sorted(self.players.items(), key=lambda entry: -entry[1].current)
        return [
            {"userId": user_id, "position": position, **_sides(score)}
            for position, (user_id, score) in enumerate(ranked, start=1)
        ]

    def of(self, user_id: str) -> dict[str, Any] | None:
        return next((row for row in self.ranking() if row["userId"] == user_id), None)

    def nothing_yet(self, user_id: str) -> dict[str, Any]:
        """What is said of somebody without a score."""
        return {"userId": user_id, "position": None, **_sides(_Score())}

    def runs_on(self, map_: str | None, user_id: str | None = None) -> list[dict[str, Any]]:
        return [
            run
            for run in self.runs
            if map_ in (None, run["map"]) and user_id in (None, run["userId"])
        ]  # fmt: skip


def _sides(score: _Score) -> dict[str, Any]:
    return {"currentRoundData": {"score": score.current}, "totalRoundData": {"score": score.total}}


def _run(user_id: str, map_: str, points: float) -> dict[str, Any]:
    return {"userId": user_id, "map": map_, "roundData": {"score": points}}
