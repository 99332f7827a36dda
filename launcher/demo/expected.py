"""What is documented of each flow, as a table, and the checks that hold a launch against it.

`sends` are the parameters that select the flow among those of its method, `identity` the fields of init data
by which the page learns who opened it. Documentation: core.telegram.org/api/bots/webapps,
core.telegram.org/bots/webapps (init data of each kind of launch), and the page of each method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flows import InitData, WebView
from flows.init_data import InitDataError
from launcher.demo.flows_shown import Showing
from launcher.demo.report import Check
from launcher.demo.troupe import Troupe
from launcher.mini_app import MiniApp

__all__ = ["DOCUMENTED", "Documented", "checks_of"]

_SELECTING = frozenset({"url", "from_bot_menu", "from_side_menu", "from_switch_webview"})
_PROOFS = frozenset({"auth_date", "hash", "signature", "start_param"})


@dataclass(frozen=True, slots=True)
class Documented:
    method: str
    sends: frozenset[str] = frozenset()
    query_id: bool = False
    identity: frozenset[str] = frozenset()


def _row(method: str, sends: str = "", identity: str = "") -> Documented:
    fields = frozenset(identity.split())
    return Documented(f"messages.{method}", frozenset(sends.split()), "query_id" in fields, fields)


DOCUMENTED: dict[str, Documented] = {
    "keyboard_button": _row("requestSimpleWebView", "url"),
    "inline_button": _row("requestWebView", "url", "query_id user"),
    "menu_button": _row("requestWebView", "from_bot_menu url", "query_id user"),
    "attachment_menu": _row("requestWebView", "", "query_id user receiver"),
    "side_menu": _row("requestSimpleWebView", "from_side_menu", "user"),
    "inline_mode": _row("requestSimpleWebView", "from_switch_webview url"),
    "direct_link": _row("requestAppWebView", "", "user chat_type chat_instance"),
    "main_app": _row("requestMainWebView", "", "user chat_type chat_instance"),
    "chat_join": _row("requestChatJoinWebView", "", "user chat_join_request_query_id"),
}


def checks_of(showing: Showing, app: MiniApp, troupe: Troupe) -> list[Check]:
    """All checks of one launch, after its end."""
    documented, view = DOCUMENTED[showing.flow], app.web_view
    return [
        _request(showing, documented, troupe),
        _query(documented, view),
        _identity(documented, view.init_data),
        *_proofs(app, troupe),
        *_returned(showing, view),
        _prolongs(showing, documented, app, troupe),
        Check(app.reason is showing.closes, f"it closes: {showing.closes}", f"closed: {app.reason}"),
    ]


def _request(showing: Showing, documented: Documented, troupe: Troupe) -> Check:
    """By the data centre's own log: it was asked once, with this flow's parameters and no other's."""
    asked = [
        (line.method, _SELECTING & line.parameters.keys())
        for line in troupe.calls(platform=showing.parameters.platform)
    ]
    sends = f" with {' and '.join(sorted(documented.sends))}" if documented.sends else ""
    found = ", ".join(f"{method}({' '.join(sorted(names))})" for method, names in asked) or "nothing"
    text = f"the client asks {documented.method}{sends}, once"
    return Check(asked == [(documented.method, documented.sends)], text, found)


def _query(documented: Documented, view: WebView) -> Check:
    text = "a query id comes back" if documented.query_id else "no query id comes back"
    return Check((view.query_id is not None) is documented.query_id, text)


def _identity(documented: Documented, data: InitData | None) -> Check:
    found = _fields(data) if data else frozenset()
    names = ", ".join(sorted(documented.identity))
    text = f"the page learns {names}" if names else "the page learns no identity"
    return Check(found == documented.identity, text, ", ".join(sorted(found)) or "none")


def _fields(data: InitData) -> frozenset[str]:
    names = {line.partition("=")[0] for line in data.data_check_string.splitlines()}
    return frozenset(names) - _PROOFS


def _proofs(app: MiniApp, troupe: Troupe) -> Iterator[Check]:
    """Init data is signed twice: for the bot, with its token, and for everybody."""
    data, bot = app.init_data, app.app.bot
    if data is None:
        return
    token = next((known.token for known in troupe.ready.bots if known.id == bot.id), "")
    yield _proof("the hash of the init data fits the bot's token", lambda: data.check_hash(token))
    key = troupe.ready.init_data_public_key
    yield _proof("the signature fits the data centre's key", lambda: data.check_signature(bot.id, key))


def _proof(text: str, check: Callable[[], None]) -> Check:
    try:
        check()
    except (InitDataError, ValueError) as error:
        return Check(False, text, str(error))
    return Check(True, text)


def _returned(showing: Showing, view: WebView) -> Iterator[Check]:
    """What the client said of itself, as the page finds it in its launch parameters."""
    params, said = view.launch_params, showing.parameters
    yield Check(not params.problems, "the launch parameters are well formed", "; ".join(params.problems))
    same = (params.platform, params.theme_params) == (said.platform, said.theme)
    yield Check(same, f"the page learns the platform {said.platform} and the theme", params.platform)
    yield Check(view.mode is said.mode, f"it is shown {said.mode}", str(view.mode))
    if showing.start_param is not None:
        told = (params.start_param, view.init_data and view.init_data.start_param)
        text = f"the start parameter {showing.start_param} reaches the page and its server"
        yield Check(told == (showing.start_param,) * 2, text, str(told))


def _prolongs(showing: Showing, documented: Documented, app: MiniApp, troupe: Troupe) -> Check:
    """The data centre's log must know of as many as the client counted."""
    if not documented.query_id:
        return Check(app.prolongs == 0, "nothing is prolonged", f"{app.prolongs} times")
    heard = [
        line for line in troupe.calls("messages.prolongWebView", query_id=app.query_id) if line.error is None
    ]
    text = f"it is kept alive by at least {showing.prolongs} prolongs"
    under_way = len(heard) - app.prolongs  # when the app closed; its answer no longer counted
    enough = 0 <= under_way <= 1 and app.prolongs >= showing.prolongs
    return Check(enough, text, f"{app.prolongs} counted, {len(heard)} heard")
