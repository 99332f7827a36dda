"""What Metapro answers, as far as it is documented. Unknown keys are kept; nothing shows secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel

__all__ = [
    "Address",
    "Asset",
    "Attached",
    "Login",
    "MetaproApp",
    "Page",
    "PersonalDetails",
    "PersonalScore",
    "Reached",
    "Registration",
    "ScoreTotal",
    "User",
]

T = TypeVar("T")


class _Answer(BaseModel):
    model_config = ConfigDict(
        extra="allow", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Address(_Answer):
    """A wallet of an account."""

    wallet: str
    chain_id: int | None = None


class PersonalDetails(_Answer):
    """What a person told about themselves: never to be shown."""

    email: SecretStr | None = None
    birth_date: SecretStr | None = None
    username: str | None = None


class User(_Answer):
    """A Metapro account; `user_id` is the Metapro ID."""

    user_id: str = Field(min_length=1)
    role: str | list[str] | None = None
    addresses: list[Address] = []
    personal_details: PersonalDetails | None = None


class Registration(_Answer):
    """What is known of a wallet: whether it has an account, and whether that has accepted the rules."""

    has_account: bool
    has_rules_checked: bool


class MetaproApp(_Answer):
    """An app as Metapro's teams service records it."""

    app_id: str | None = None
    name: str | None = None
    leaderboard_id: str | None = None


class Asset(_Answer):
    """A token of a wallet."""

    contract_address: str | None = None
    standard: str | None = None
    chain_id: int


class Score(_Answer):
    score: float = 0


class ScoreTotal(_Answer):
    """A place in the leaderboard."""

    user_id: str
    position: int | None = None
    current_round_data: Score
    total_round_data: Score


class PersonalScore(_Answer):
    """One person's part of the leaderboard."""

    scores: list[ScoreTotal] = []
    main_score: ScoreTotal | None = None


class Page(_Answer, Generic[T]):
    """A part of a list, and how long all of it is."""

    results: list[T]
    count: int


@dataclass(frozen=True, slots=True)
class Login:
    """A login that went well; `status` is that of the answer, `token_type` what it calls the token."""

    account: User
    token: SecretStr
    status: int
    token_type: Any = None


@dataclass(frozen=True, slots=True)
class Attached:
    """The account that a wallet was attached to, as the answer has it; `status` is that of the answer."""

    account: User
    status: int


@dataclass(frozen=True, slots=True)
class Reached:
    """That a service is alive: it answered with this status after so long."""

    status: int
    seconds: float
