"""Every assumption of the sandbox, and how it can be seen from outside, or why it cannot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from launcher.verify import by_account as account
from launcher.verify import by_bot as bot
from launcher.verify.contact import Contact, Seen

__all__ = ["OBSERVATIONS", "UNTESTED", "Observation"]


@dataclass(frozen=True, slots=True)
class Observation:
    """How one assumption is looked at. `writes` says what is left behind, in the words of "it writes …": then
    it is looked at only when that is allowed by the assumption's name. Without `asks` it is seen in an answer
    that is there already."""

    look: Callable[[Contact], Awaitable[Seen]]
    writes: str | None = None
    asks: bool = True


_READING = (
    account.platforms_have_a_checked_form,
    account.start_parameters_have_a_checked_form,
    account.every_web_view_checks_its_theme,
    account.buttons_ignore_start_parameters,
    account.restricted_bots_open_no_web_views,
    account.apps_in_menus_open_only_when_installed,
    account.the_attachment_menu_checks_the_kind_of_chat,
    account.init_data_names_chats_as_the_bot_api_does,
    account.an_app_link_in_an_unknown_chat_is_msg_id_invalid,
    account.the_main_app_checks_its_peer,
    account.main_app_from_a_link_learns_the_kind_of_chat,
    account.inline_queries_check_their_peer,
    account.unknown_join_query_is_query_id_invalid,
    account.difference_names_channels_with_news,
    account.prolonging_repeats_bot_and_peer,
    account.prolonging_checks_reply_and_author,
    account.cloud_storage_names_its_limits,
    account.cloud_storage_leaves_missing_keys_out,
    account.requested_contacts_have_a_plus,
    account.requested_contacts_have_a_hash_alone,
    account.downloads_are_judged_by_address_and_name,
    account.an_unknown_request_is_webapp_req_id_invalid,
    account.revoked_bot_token_is_expired,
    bot.bots_get_bot_method_invalid,
    bot.a_decided_join_query_is_over,
    bot.an_unknown_checkout_is_query_id_invalid,
    bot.a_menu_button_of_an_unknown_user_is_user_id_invalid,
)
_WRITING = {
    bot.write_access_nobody_asked_for_is_ignored: "the right to write, which the bot may get",
    bot.prepared_messages_live_for_an_hour: "a prepared message that nobody sends",
    bot.prepared_messages_without_kinds_go_anywhere: "a prepared message that nobody sends",
    bot.write_access_is_granted_once: "the right to write, which the bot gets",
    bot.duplicate_random_id_is_silent: "a message to the bot",
    bot.keyboards_of_people_are_dropped: "a message to the account itself",
    bot.web_view_data_has_1_to_4096_bytes: "data of an app to the bot, if that is taken",
    bot.the_last_prolong_places_the_answer: "a message in the chat with the bot",
    bot.prepared_messages_go_to_their_kinds_of_chats: "a message to the account itself, if that is taken",
    bot.a_sent_prepared_message_is_expired: "a message to the account itself",
    bot.a_request_of_an_app_is_answered_once: "a service message: the bot is given the account itself",
    bot.requested_peers_have_to_fit: "a service message, if it is taken: the bot is given the account itself",
}

OBSERVATIONS: dict[str, Observation] = {
    "join_guard_learns_the_user": Observation(account.join_guard_learns_the_user, asks=False),
    **{look.__name__: Observation(look) for look in _READING},
    **{look.__name__: Observation(look, writes) for look, writes in _WRITING.items()},
}
"""By the assumption's name, in the order in which they are made: what writes comes last."""

_AWAY = "it takes a client that is away while the server has something to tell it"
_JOINING = "it takes somebody who wants to join a chat that the bot guards"
_PAYING = "it takes a payment, and nothing is bought"

UNTESTED: dict[str, str] = {
    "result_sent_survives_absence": _AWAY,
    "other_updates_without_pts_survive_absence": _AWAY,
    "kept_updates_are_pushed_on_return": _AWAY,
    "reconnect_announces_updates_too_long": _AWAY,
    "an_absent_guard_queues_requests": _JOINING,
    "a_silent_guard_times_out": _JOINING,
    "a_declined_join_is_invite_request_declined": _JOINING,
    "inline_results_post_text": "it takes an inline result of another kind, sent to somebody",
    "a_contact_names_the_user_with_the_number": "it takes the phone number of somebody else",
    "a_bots_emoji_status_is_checked_as_a_persons": "it takes leave to set an emoji status",
    "provider_forms_end_as_those_of_stars": _PAYING,
    "a_form_without_its_details_is_requested_info_invalid": _PAYING,
    "a_declined_payment_is_payment_failed": _PAYING,
    "an_absent_bot_takes_every_payment": _PAYING,
    "a_refused_checkout_is_bot_precheckout_failed": _PAYING,
    "a_silent_bot_is_bot_precheckout_timeout": _PAYING,
    "payment_results_hold_the_service_message": _PAYING,
}
"""Why nothing is looked at, by the assumption's name."""
