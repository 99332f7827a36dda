"""The referral service: one code for each account, made once."""

from __future__ import annotations

from typing import Any

from launcher.sandbox.metapro.call import Call, Endpoints
from launcher.sandbox.metapro.refusal import Refused

__all__ = ["referral"]

referral = Endpoints()


@referral("GET", "/users/projects/{project}/referral-code")
def referral_code(call: Call) -> Any:
    account = call.owner()
    call.known("project_id", call.path("project"))
    if account.referral_code is None:
        raise Refused(404, "Referral code not found")
    return {"referralCode": account.referral_code}


@referral("POST", "/users/projects/referral-code")
def create_referral_code(call: Call) -> Any:
    account = call.owner()
    call.known("project_id", call.field("projectId"))
    if account.referral_code is not None:
        raise Refused(400, "Referral code already exists")
    account.referral_code = call.metapro.accounts.new_referral_code()
    return {"referralCode": account.referral_code}


@referral("GET", "/referral-settings/{settings}")
def referral_settings(call: Call) -> Any:
    settings = call.known("referral_settings_id", call.path("settings"))
    levels = [{"level": 1, "percentage": 10}, {"level": 2, "percentage": 5}, {"level": 3, "percentage": 2}]
    return {"_id": settings, "projectId": call.metapro.ids["project_id"], "levels": levels}
