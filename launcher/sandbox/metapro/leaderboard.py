"""The leaderboard service: lists and places, scores, matches, maps and challenges.

Writes need the header `leaderboardApiKey`; whether reads do, is open. Calls that the samples make without the
key never need it here. Counts and the id of a match are plain text.
"""

from __future__ import annotations

import math
import uuid
from typing import Any

from launcher.sandbox.metapro.call import Call, Endpoints
from launcher.sandbox.metapro.refusal import Refused
from launcher.sandbox.metapro.scores import MAPS

__all__ = ["leaderboard"]

leaderboard = Endpoints()

_CHALLENGES = [
    {"_id": "challenge-daily", "name": "Daily run", "map": "harbour", "reward": 50},
    {"_id": "challenge-weekly", "name": "Weekly climb", "map": "quarry", "reward": 400},
]
_LEVELS = (10, 5, 2)
"""Per cent of an invited player's score, by how far down the line."""


# Scores


@leaderboard("GET", "/score-total/leaderboard/{leaderboard}")
def score_list(call: Call) -> Any:
    call.leaderboard_key()
    call.known("leaderboard_id", call.path("leaderboard"))
    low, high = call.number("minBalance", 0), call.query("maxBalance", "")
    top = call.number("maxBalance", 0) if high else math.inf
    rows = [row for row in call.metapro.scores.ranking() if low <= row["currentRoundData"]["score"] <= top]
    return rows[: call.number("limit", 20)]


@leaderboard("GET", "/score-total/get")
def score(call: Call) -> Any:
    call.leaderboard_key()
    call.known("leaderboard_id", call.query("leaderboardId"))
    found = call.metapro.scores.of(call.query("userId"))
    if found is None:
        raise Refused(404, "Score not found")
    return found


@leaderboard("GET", "/score-total/personal/{leaderboard}/{user}")
def personal_score(call: Call) -> Any:
    call.leaderboard_key()
    call.known("leaderboard_id", call.path("leaderboard"))
    user, scores = call.path("user"), call.metapro.scores
    ranking = scores.ranking()
    place = next((at for at, row in enumerate(ranking) if row["userId"] == user), None)
    if place is None:
        return {"scores": [], "mainScore": scores.nothing_yet(user)}
    return {"scores": ranking[max(0, place - 2) : place + 3], "mainScore": ranking[place]}


@leaderboard("GET", "/score-total/count/leaderboard/{leaderboard}")
def score_count(call: Call) -> Any:
    call.known("leaderboard_id", call.path("leaderboard"))
    return len(call.metapro.scores.players)


@leaderboard("GET", "/score-total/downline/{leaderboard}/{user}")
def downline(call: Call) -> Any:
    """Who was invited by this person, by those, and by those."""
    call.leaderboard_key()
    call.known("leaderboard_id", call.path("leaderboard"))
    everybody, line = list(call.metapro.accounts), {call.path("user")}
    levels = []
    for level, percentage in enumerate(_LEVELS, start=1):
        codes = {one.referral_code for one in everybody if one.user_id in line and one.referral_code}
        line = {one.user_id for one in everybody if one.invited_by in codes}
        levels.append({"level": level, "percentage": percentage, "count": len(line)})
    return levels


@leaderboard("PUT", "/score-total/{user}")
def add_score(call: Call) -> Any:
    call.leaderboard_key(write=True)
    _ours(call)
    user = call.path("user")
    if user not in call.metapro.accounts.by_id:
        raise Refused(404, "User not found")
    return {"scoreTotal": call.metapro.scores.add(user, _points(call))}


# Matches and maps


@leaderboard("POST", "/match-data/create")
def create_match(call: Call) -> Any:
    call.leaderboard_key(write=True)
    call.known("leaderboard_id", call.field("leaderboardId"))
    match = str(uuid.UUID(int=call.metapro.random.getrandbits(128), version=4))
    call.metapro.scores.matches.add(match)
    return match


@leaderboard("POST", "/score-map/create")
def create_run(call: Call) -> Any:
    call.leaderboard_key(write=True)
    _ours(call)
    if call.field("matchId") not in call.metapro.scores.matches:
        raise Refused(404, "Match not found")
    _points(call)
    names = ("userId", "map", "startedAt", "endedAt")
    run = {name: call.field(name) for name in names} | {"roundData": call.body["roundData"]}
    call.metapro.scores.runs.append(run)
    return run


@leaderboard("GET", "/score-map/get")
def runs(call: Call) -> Any:
    call.leaderboard_key()
    call.known("leaderboard_id", call.query("leaderboardId"))
    return call.page(call.metapro.scores.runs_on(_map(call)))


@leaderboard("GET", "/score-map/get/challenge/count")
def challenge_count(call: Call) -> Any:
    return len(_CHALLENGES)


@leaderboard("GET", "/score-map/get/personal/{user}")
def personal_runs(call: Call) -> Any:
    call.leaderboard_key()
    call.known("leaderboard_id", call.query("leaderboardId"))
    return call.metapro.scores.runs_on(_map(call), call.path("user"))


@leaderboard("GET", "/score-map/get/count/{user}")
def run_count(call: Call) -> Any:
    return len(personal_runs(call))


@leaderboard("GET", "/challenges/get/all")
def challenges(call: Call) -> Any:
    return call.page(_CHALLENGES)


@leaderboard("GET", "/challenges/get/{challenge}")
def challenge(call: Call) -> Any:
    for found in _CHALLENGES:
        if found["_id"] == call.path("challenge"):
            return found
    raise Refused(404, "Challenge not found")


@leaderboard("GET", "/maps/get/all/{leaderboard}")
def maps(call: Call) -> Any:
    board = call.known("leaderboard_id", call.path("leaderboard"))
    return [{"_id": f"map-{name}", "map": name, "leaderboardId": board} for name in MAPS]


def _map(call: Call) -> str | None:
    return call.query("map", "") or None


def _ours(call: Call) -> None:
    call.known("leaderboard_id", call.field("leaderboardId"))
    call.known("project_id", call.field("projectId"))


def _points(call: Call) -> float:
    data = call.body.get("roundData")
    points = data.get("score") if isinstance(data, dict) else None
    if isinstance(points, bool) or not isinstance(points, int | float):
        raise Refused(400, "roundData.score must be a number")
    return points
