"""Rules of the sandbox that no documentation states, by name.

Telegram documents what its methods mean, not every choice its servers make. Where the sandbox has to choose,
the choice is a sentence here that either holds or is flipped, so that a test can ask for the other world and
so that each sentence can one day be compared with the real servers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["ASSUMPTIONS", "Assumption", "Assumptions", "UnknownAssumption"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """One rule: its name (a sentence that may hold), what holding means, what the flipped world does."""

    name: str
    holds: str
    flipped: str


class UnknownAssumption(KeyError):
    """There is no assumption of that name; the message lists the names there are."""

    def __str__(self) -> str:
        return f"no assumption is called {self.args[0]!r}; there are: {', '.join(ASSUMPTIONS)}"


ASSUMPTIONS: dict[str, Assumption] = {
    row.name: row
    for row in (
        Assumption(
            "duplicate_random_id_is_silent",
            "sending with a random_id that was seen before (sendWebViewData, sendMessage and others) "
            "succeeds and changes nothing",
            "it answers 500 RANDOM_ID_DUPLICATE",
        ),
        Assumption(
            "result_sent_survives_absence",
            "updateWebViewResultSent, which has no pts, is kept for a client that is away and delivered "
            "on its next connection",
            "it is lost for ever for a client without an open connection",
        ),
        Assumption(
            "other_updates_without_pts_survive_absence",
            "updateBotMenuButton, updateAttachMenuBots, updateJoinChatWebViewDecision and other updates that "
            "have no pts are kept for a client that is away and delivered on its next connection",
            "they are lost for ever for a client without an open connection",
        ),
        Assumption(
            "kept_updates_are_pushed_on_return",
            "updates without pts that were kept for a client that was away are pushed to its next connection",
            "they come in other_updates of that client's next updates.getDifference",
        ),
        Assumption(
            "difference_names_channels_with_news",
            "updates.getDifference carries updateChannelTooLong for each of the account's channels that has "
            "messages since the given date",
            "channels are not mentioned: the client has to ask for their difference by itself",
        ),
        Assumption(
            "revoked_bot_token_is_expired",
            "a token with the id of an existing bot but another secret answers 400 ACCESS_TOKEN_EXPIRED",
            "it answers 400 ACCESS_TOKEN_INVALID, as any other text does",
        ),
        Assumption(
            "reconnect_announces_updates_too_long",
            "a new connection of a signed-in key with missed updates is sent updatesTooLong",
            "nothing is sent: the client has to ask for the difference itself",
        ),
        Assumption(
            "bots_get_bot_method_invalid",
            "a bot that calls a method of people is answered 400 BOT_METHOD_INVALID",
            "it is answered 400 USER_BOT_INVALID",
        ),
        Assumption(
            "platforms_have_a_checked_form",
            "a platform other than 0 to 64 English letters, digits and underscores is answered 400 "
            "PLATFORM_INVALID",
            "any platform is copied to tgWebAppPlatform",
        ),
        Assumption(
            "start_parameters_have_a_checked_form",
            "a start parameter of a web view other than 0 to 512 characters A-Z, a-z, 0-9, _ and - is "
            "answered 400 START_PARAM_INVALID",
            "any start parameter is passed to the page",
        ),
        Assumption(
            "every_web_view_checks_its_theme",
            "theme parameters that are no JSON object are answered 400 THEME_PARAMS_INVALID by every "
            "request, also where the page of the method does not list that error",
            "where it is not listed, they are left out of the URL",
        ),
        Assumption(
            "restricted_bots_open_no_web_views",
            "the web view of a bot that is restricted for the user is answered 400 BOT_INVALID, or "
            "BOT_APP_BOT_INVALID for a direct link",
            "it is opened: refusing is the duty of the client alone",
        ),
        Assumption(
            "apps_in_menus_open_only_when_installed",
            "an attachment-menu or side-menu app that the user has not installed is answered 400 BOT_INVALID",
            "it is opened",
        ),
        Assumption(
            "the_attachment_menu_checks_the_kind_of_chat",
            "an attachment-menu app in a chat outside its peer types is answered 400 BOT_WEBVIEW_DISABLED",
            "it is opened",
        ),
        Assumption(
            "buttons_ignore_start_parameters",
            "the start parameter of a request with the address of a button or menu button changes nothing",
            "it is passed to the page as that of any other app",
        ),
        Assumption(
            "prolonging_repeats_bot_and_peer",
            "prolonging with another bot or peer than the request's is answered 400 QUERY_ID_INVALID",
            "the query alone counts",
        ),
        Assumption(
            "the_last_prolong_places_the_answer",
            "the bot's answer goes where the last prolong said: reply, topic, author, silence",
            "it goes where the request said",
        ),
        Assumption(
            "prolonging_checks_reply_and_author",
            "prolonging with an unknown reply or author is answered with the errors of the request",
            "the web view is prolonged and keeps its earlier reply and author",
        ),
        Assumption(
            "an_app_link_in_an_unknown_chat_is_msg_id_invalid",
            "requestAppWebView with a peer that the account cannot name is answered 400 MSG_ID_INVALID,"
            " which its page lists though it takes no message",
            "it is answered 400 PEER_ID_INVALID",
        ),
        Assumption(
            "write_access_nobody_asked_for_is_ignored",
            "write_allowed for an app that does not ask for it changes nothing",
            "the bot may write from then on",
        ),
        Assumption(
            "write_access_is_granted_once",
            "granting write access that a bot has already posts no service message",
            "every grant posts one",
        ),
        Assumption(
            "the_main_app_checks_its_peer",
            "requestMainWebView with a peer that the account cannot name is answered 400 PEER_ID_INVALID",
            "the main app opens as if no chat were open",
        ),
        Assumption(
            "main_app_from_a_link_learns_the_kind_of_chat",
            "the init data of a main app with a start parameter has chat_type and chat_instance",
            "it has not",
        ),
        Assumption(
            "init_data_names_chats_as_the_bot_api_does",
            "chats in init data have the ids of the Bot API: negative, with the prefix -100 for channels",
            "they have bare ids",
        ),
        Assumption(
            "unknown_join_query_is_query_id_invalid",
            "requestChatJoinWebView with an unknown query, or one without an app, is answered 400 "
            "QUERY_ID_INVALID",
            "it is answered 400 INVITE_HASH_EXPIRED",
        ),
        Assumption(
            "join_guard_learns_the_user",
            "the init data of a join guard's app has the user",
            "it has the number of the query alone",
        ),
        Assumption(
            "an_absent_guard_queues_requests",
            "joining while the guard bot has no connection and no app is answered 400 INVITE_REQUEST_SENT",
            "it is answered 400 JOIN_GUARD_TIMEOUT",
        ),
        Assumption(
            "a_silent_guard_times_out",
            "joining is answered 400 JOIN_GUARD_TIMEOUT when the guard bot does not answer in time",
            "the request is queued and answered 400 INVITE_REQUEST_SENT",
        ),
        Assumption(
            "a_declined_join_is_invite_request_declined",
            "a join that the guard declines at once is answered 400 INVITE_REQUEST_DECLINED",
            "it is answered 400 CHANNEL_PRIVATE",
        ),
        Assumption(
            "a_decided_join_query_is_over",
            "setJoinChatResults for an unknown or decided query is answered 400 QUERY_ID_INVALID",
            "it succeeds and changes nothing",
        ),
        Assumption(
            "web_view_data_has_1_to_4096_bytes",
            "sendWebViewData with nothing is answered 400 DATA_INVALID, with more than 4096 bytes of "
            "UTF-8 400 DATA_TOO_LONG",
            "any text is delivered",
        ),
        Assumption(
            "inline_results_post_text",
            "a result that posts anything but text is answered 400 SEND_MESSAGE_TYPE_INVALID",
            "its title is posted as text",
        ),
        Assumption(
            "inline_queries_check_their_peer",
            "an inline query in a chat that the account cannot name is answered 400 PEER_ID_INVALID",
            "the bot is asked as if no chat were told",
        ),
        Assumption(
            "keyboards_of_people_are_dropped",
            "a keyboard in a message of a person is left out",
            "it is answered 400 REPLY_MARKUP_INVALID",
        ),
        Assumption(
            "a_menu_button_of_an_unknown_user_is_user_id_invalid",
            "a menu button for a user the bot cannot name is answered 400 USER_ID_INVALID",
            "it is answered 400 PEER_ID_INVALID",
        ),
    )
}


class Assumptions:
    """The state of every assumption in one sandbox: all hold, but for the flipped ones.

    Raises `UnknownAssumption` for a name that is not in `ASSUMPTIONS`.
    """

    def __init__(self, flipped: Iterable[str] = ()) -> None:
        self._flipped: set[str] = set()
        for name in flipped:
            self.flip(name)

    def holds(self, name: str) -> bool:
        return _known(name) not in self._flipped

    def flip(self, name: str) -> None:
        """Turn one assumption over; a second flip turns it back."""
        self._flipped ^= {_known(name)}

    def __iter__(self) -> Iterator[tuple[Assumption, bool]]:
        return ((row, self.holds(row.name)) for row in ASSUMPTIONS.values())


def _known(name: str) -> str:
    if name not in ASSUMPTIONS:
        raise UnknownAssumption(name)
    return name
