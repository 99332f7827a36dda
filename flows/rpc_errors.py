"""What Telegram's errors mean to somebody who opens Mini Apps, and what to do about each.

Telegram answers a request it does not carry out with a code and a name, `400 BOT_INVALID`. Neither
says what to do. This table does: one row per method and name, with the meaning, one sentence of
advice, and the page that documents it.

The table is kept in three pieces, so that no sentence is written twice:

    _NAMES     name -> codes, kind, meaning, remedy     what the name means wherever it appears
    _METHODS   method -> names                          which method gives which names
    _SPECIAL   (method, name) -> as in _NAMES           where a method means something else by it

`"*"` in place of a method stands for the errors that nearly every method can give. A number inside
a name is written `%d`: Telegram sends `FLOOD_WAIT_30`, the row is `FLOOD_WAIT_%d`. A `%d` in a
meaning or a remedy is that number.

The list of names per method is that of the error database which Telegram publishes at
core.telegram.org/api/errors and prints on each method's page (layer 227); a row that comes from
elsewhere says so. Of very general methods (`messages.sendMessage`, `payments.getPaymentForm`) only
those errors are here that opening and serving a Mini App can meet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

ANY_METHOD = "*"


class Kind(Enum):
    """What a caller can do about an error; the value says it."""

    NO_SUCH_BOT = "resolve the bot once more, then give up"
    NO_SUCH_APP = "forget the cached app, then give up"
    STALE = "fetch the button, link or id again, then give up"
    WRONG_CONTEXT = "choose another chat, message or sender"
    BLOCKED = "unblock the bot if the user wants it"
    BAD_REQUEST = "correct the parameters"
    OVER = "close the Mini App"
    ALREADY_DONE = "take it as done"
    TRANSIENT = "wait a little and repeat"
    FLOOD_WAIT = "wait as long as it says and repeat"
    OTHER_DC = "repeat at another data centre"
    PASSWORD_NEEDED = "go on with the two-step password"
    WRONG_SECRET = "ask for the code, password or token again"
    SIGN_IN_AGAIN = "start signing in from the beginning"
    SIGN_IN = "this number or application cannot sign in"
    ACCOUNT_LOST = "the session is gone: close everything of this account"
    REFUSED = "Telegram does not allow it: give up"


@dataclass(frozen=True, slots=True)
class Row:
    """One error of one method. `codes` are all documented ones, the usual one first."""

    method: str
    name: str
    codes: tuple[int, ...]
    kind: Kind
    meaning: str
    remedy: str
    source: str

    @property
    def code(self) -> int:
        return self.codes[0]


class _Entry(NamedTuple):
    codes: tuple[int, ...]
    kind: Kind
    meaning: str
    remedy: str


def _e(code: int | tuple[int, ...], kind: Kind, meaning: str, remedy: str) -> _Entry:
    return _Entry(code if isinstance(code, tuple) else (code,), kind, meaning, remedy)


def _may_not_send(what: str) -> _Entry:
    return _e(
        403,
        Kind.WRONG_CONTEXT,
        f"This chat does not let its members send {what}.",
        "Choose another chat or another result.",
    )


# fmt: off
_NAMES: dict[str, _Entry] = {
    # The bot and its apps
    "BOT_INVALID": _e(400, Kind.NO_SUCH_BOT,
        "The user given is not a bot, or the access hash belongs to another account.",
        "Check the bot's user name and resolve it again with this account."),
    "BOT_ID_INVALID": _e(400, Kind.NO_SUCH_BOT,
        "The id given is not that of a bot.",
        "Check the bot's user name and resolve it again with this account."),
    "BOT_APP_BOT_INVALID": _e(400, Kind.NO_SUCH_BOT,
        "The owner of the app is not a bot that this account can see.",
        "Check the user name in the link and resolve it again."),
    "BOT_APP_INVALID": _e(400, Kind.NO_SUCH_APP,
        "The bot has no such app; it was renamed or deleted, or never existed.",
        "Check the app's short name in the link, and fetch the app anew with messages.getBotApp."),
    "BOT_APP_SHORTNAME_INVALID": _e(400, Kind.NO_SUCH_APP,
        "The short name of the app cannot belong to any app.",
        "Check the part of the link after the bot's user name: letters, digits and underscores."),
    "INPUT_USER_DEACTIVATED": _e(400, Kind.NO_SUCH_BOT,
        "The bot or user addressed has been deleted.",
        "Choose another bot; this one will not come back."),
    "USERNAME_INVALID": _e(400, Kind.NO_SUCH_BOT,
        "This cannot be a user name.",
        "Check the spelling: 4 to 32 letters, digits and underscores, beginning with a letter."),
    "USERNAME_NOT_OCCUPIED": _e(400, Kind.NO_SUCH_BOT,
        "Nobody has this user name.",
        "Check the spelling, and that the server (production, test, sandbox) is the right one."),
    "STARREF_EXPIRED": _e(400, Kind.STALE,
        "The referral in the link is no longer valid.",
        "Use the link without its referral part, or ask for a new one."),
    "BOT_INLINE_DISABLED": _e(400, Kind.REFUSED,
        "The bot does not take inline queries.",
        "Open one of its other apps, or have its owner switch inline mode on in BotFather."),
    "BOT_RESPONSE_TIMEOUT": _e(400, Kind.TRANSIENT,
        "The bot did not answer in time.", "Try again, and see whether the bot is running."),
    "BOT_GUARD_NOT_SUPPORTED": _e(403, Kind.REFUSED,
        "This bot does not guard the entrance of any chat.",
        "Make it a join guard in BotFather and in the chat's settings first."),
    # Buttons, links and ids that go out of date
    "URL_INVALID": _e(400, Kind.STALE,
        "The URL is not, or no longer, the one which Telegram has for this button.",
        "Fetch the message or the bot's information again and press the button it shows now."),
    "BOT_WEBVIEW_DISABLED": _e(400, Kind.STALE,
        "The button cannot be opened here, for instance a menu button outside the bot's own chat.",
        "Open it in the chat with the bot, with the button as the bot shows it now."),
    "WEBAPP_REQ_ID_INVALID": _e(400, Kind.STALE,
        "The bot has no prepared button under this request id.",
        "Let the Mini App prepare the request again."),
    "ID_INVALID": _e(400, Kind.STALE,
        "Telegram knows nothing under this id.", "Let the Mini App prepare it again."),
    "ID_EXPIRED": _e(400, Kind.STALE,
        "The prepared message has expired.",
        "Let the Mini App prepare it again and send it at once."),
    "SLUG_INVALID": _e(400, Kind.STALE,
        "The invoice link leads to no invoice.", "Let the Mini App create a new invoice link."),
    "INVOICE_INVALID": _e(400, Kind.STALE,
        "The invoice is not valid.", "Let the bot create the invoice again."),
    "BOT_INVOICE_INVALID": _e(400, Kind.STALE,
        "The bot's invoice is not valid.", "Let the bot create the invoice again."),
    "URL_EXPIRED": _e(400, Kind.STALE,
        "The login request behind this URL has expired.", "Start the login on the website again."),
    "OAUTH_REQUEST_INVALID": _e(500, Kind.STALE,
        "The login request behind this URL is not valid.",
        "Start the login on the website again."),
    "INLINE_RESULT_EXPIRED": _e(400, Kind.STALE,
        "The inline results are too old to be sent.",
        "Make the inline query again and choose a fresh result."),
    "RESULT_ID_INVALID": _e(400, Kind.STALE,
        "The inline query has no result with this id.",
        "Make the inline query again and choose one of its results."),
    "INVITE_HASH_EXPIRED": _e((400, 406), Kind.STALE,
        "The invite link has expired or was revoked.", "Ask for a new invite link."),
    "INVITE_HASH_INVALID": _e(400, Kind.STALE,
        "The invite link leads nowhere.", "Check that the link was copied whole."),
    # The chat, the message, the sender
    "PEER_ID_INVALID": _e((400, 404, 406), Kind.WRONG_CONTEXT,
        "This account does not know the chat, or the access hash belongs to another account.",
        "Resolve the chat again with this account, or choose another one."),
    "MSG_ID_INVALID": _e(400, Kind.WRONG_CONTEXT,
        "There is no such message to reply to or to take a peer from.",
        "Check the message id given as reply_to or topic."),
    "MESSAGE_ID_INVALID": _e(400, Kind.WRONG_CONTEXT,
        "There is no such message in this chat.",
        "Check the message id and fetch the message again."),
    "USER_ID_INVALID": _e(400, Kind.WRONG_CONTEXT,
        "This account does not know the user, or the access hash belongs to another account.",
        "Resolve the user again with this account."),
    "CONTACT_ID_INVALID": _e(400, Kind.WRONG_CONTEXT,
        "This account does not know the user.", "Resolve the user again with this account."),
    "SEND_AS_PEER_INVALID": _e(400, Kind.WRONG_CONTEXT,
        "This account may not write as that peer in this chat.",
        "Leave send_as out, or choose a channel that may be used in this chat."),
    "CHAT_WRITE_FORBIDDEN": _e((403, 400), Kind.WRONG_CONTEXT,
        "This account may not write in the chat.",
        "Choose a chat in which the account can write, such as the chat with the bot."),
    "CHAT_ADMIN_REQUIRED": _e((400, 403), Kind.WRONG_CONTEXT,
        "Only an administrator of the chat may do this.",
        "Choose another chat, or have the account made an administrator."),
    "CHAT_RESTRICTED": _e(400, Kind.WRONG_CONTEXT,
        "This account was restricted in the chat.", "Choose another chat."),
    "CHAT_INVALID": _e((400, 500), Kind.WRONG_CONTEXT,
        "The chat is not valid.", "Check the link and resolve the chat again."),
    "CHANNEL_INVALID": _e(400, Kind.WRONG_CONTEXT,
        "This account does not know the channel or group.",
        "Resolve the chat again with this account."),
    "CHANNEL_PRIVATE": _e((400, 406), Kind.WRONG_CONTEXT,
        "The channel or group is private, or this account was removed from it.",
        "Join the chat first, or choose another one."),
    "CHANNEL_FORUM_MISSING": _e(400, Kind.WRONG_CONTEXT,
        "This group has no topics.", "Leave the topic out, or choose a forum."),
    "CHAT_ID_INVALID": _e(400, Kind.WRONG_CONTEXT,
        "This account is not in a basic group with that id.",
        "Resolve the chat again with this account."),
    "CHANNEL_MONOFORUM_UNSUPPORTED": _e(400, Kind.WRONG_CONTEXT,
        "The direct messages of a channel do not support this.", "Choose another chat."),
    "PRIVACY_PREMIUM_REQUIRED": _e((403, 406), Kind.WRONG_CONTEXT,
        "The other person takes messages from Premium users only.",
        "Choose another chat, or use an account with Telegram Premium."),
    "ALLOW_PAYMENT_REQUIRED_%d": _e(403, Kind.WRONG_CONTEXT,
        "Each message to this chat costs %d Stars.",
        "Choose a chat that takes messages free of charge."),
    "USER_BANNED_IN_CHANNEL": _e((400, 403), Kind.WRONG_CONTEXT,
        "This account was banned from writing in groups and channels.",
        "Use the chat with the bot, or ask @SpamBot about the account."),
    "TOPIC_DELETED": _e((400, 406), Kind.WRONG_CONTEXT,
        "The topic was deleted.", "Choose another topic, or none."),
    "TOPIC_CLOSED": _e((400, 406), Kind.WRONG_CONTEXT,
        "The topic was closed.", "Choose another topic, or none."),
    "VOICE_MESSAGES_FORBIDDEN": _e((400, 403), Kind.WRONG_CONTEXT,
        "The other person does not take voice messages.",
        "Choose another chat or another result."),
    "CHAT_GUEST_SEND_FORBIDDEN": _e(403, Kind.WRONG_CONTEXT,
        "Only members may write in this discussion group.", "Join the group first."),
    "CHAT_SEND_INLINE_FORBIDDEN": _e((403, 400), Kind.WRONG_CONTEXT,
        "This chat does not let its members use inline bots.", "Choose another chat."),
    "CHAT_SEND_AUDIOS_FORBIDDEN": _may_not_send("music"),
    "CHAT_SEND_GAME_FORBIDDEN": _may_not_send("games"),
    "CHAT_SEND_GIFS_FORBIDDEN": _may_not_send("animations"),
    "CHAT_SEND_MEDIA_FORBIDDEN": _may_not_send("media"),
    "CHAT_SEND_PHOTOS_FORBIDDEN": _may_not_send("photos"),
    "CHAT_SEND_PLAIN_FORBIDDEN": _may_not_send("text"),
    "CHAT_SEND_STICKERS_FORBIDDEN": _may_not_send("stickers"),
    "CHAT_SEND_VOICES_FORBIDDEN": _may_not_send("voice messages"),
    # What the account or the chat does not allow
    "YOU_BLOCKED_USER": _e(400, Kind.BLOCKED,
        "This account has blocked the bot.",
        "Unblock the bot, or allow unblocking in the consent policy."),
    "USER_IS_BLOCKED": _e((403, 400), Kind.REFUSED,
        "The user has blocked the sender.", "Have the user unblock it."),
    "PREMIUM_ACCOUNT_REQUIRED": _e((403, 400), Kind.REFUSED,
        "Only accounts with Telegram Premium may do this.",
        "Use an account with Telegram Premium."),
    "USER_PERMISSION_DENIED": _e(403, Kind.REFUSED,
        "The user has not allowed the bot to change the emoji status.",
        "Let the Mini App ask for emoji status access first, and allow it."),
    "BOT_ACCESS_FORBIDDEN": _e(403, Kind.REFUSED,
        "A business connection does not cover this operation.",
        "Make the request without a business connection."),
    "CHANNELS_TOO_MUCH": _e(400, Kind.REFUSED,
        "This account is in as many channels and groups as it may join.",
        "Leave some of them first."),
    "USER_CHANNELS_TOO_MUCH": _e((400, 403), Kind.REFUSED,
        "This account is in as many channels and groups as it may join.",
        "Leave some of them first."),
    "USERS_TOO_MUCH": _e(400, Kind.REFUSED,
        "The chat is full.", "Ask an administrator to make room."),
    "STARS_PAYMENT_REQUIRED": _e(400, Kind.REFUSED,
        "This invite link belongs to a paid subscription.",
        "Subscribe with an official client first."),
    "INVITE_REQUEST_DECLINED": _e(400, Kind.REFUSED,
        "The request to join was declined.", "Ask an administrator of the chat."),
    "JOIN_GUARD_TIMEOUT": _e(400, Kind.TRANSIENT,
        "The bot that guards the chat did not react within its ten seconds.",
        "Try to join again, and see whether the guard bot is running."),
    "FROZEN_METHOD_INVALID": _e(420, Kind.REFUSED,
        "This account is frozen and may not do this.",
        "Open an official client and follow the appeal it offers, or use another account."),
    "FROZEN_PARTICIPANT_MISSING": _e(400, Kind.REFUSED,
        "This account is frozen and cannot reach the chat.",
        "Open an official client and follow the appeal it offers, or use another account."),
    # Done already
    "RANDOM_ID_DUPLICATE": _e(500, Kind.ALREADY_DONE,
        "A request with the same random id was carried out before.",
        "Take it as sent, and do not send it again."),
    "INVITE_REQUEST_SENT": _e(400, Kind.ALREADY_DONE,
        "The request to join was sent and waits for an answer.",
        "Wait until an administrator or the guard bot of the chat decides."),
    "USER_ALREADY_PARTICIPANT": _e(400, Kind.ALREADY_DONE,
        "This account is a member of the chat already.",
        "Open the chat; nothing has to be joined."),
    # What we sent is wrong
    "THEME_PARAMS_INVALID": _e(400, Kind.BAD_REQUEST,
        "The theme is not a JSON object of the documented colours.",
        "Correct the theme: keys such as bg_color, values such as #17212b."),
    "DATA_JSON_INVALID": _e(400, Kind.BAD_REQUEST,
        "The parameters are not valid JSON.", "Correct the JSON that the Mini App passed."),
    "METHOD_INVALID": _e((404, 400), Kind.BAD_REQUEST,
        "Telegram has no such method.", "Update Telethon, or check which server this is."),
    "START_PARAM_EMPTY": _e(400, Kind.BAD_REQUEST,
        "The start parameter is empty.", "Give a start parameter, or leave it out."),
    "START_PARAM_INVALID": _e(400, Kind.BAD_REQUEST,
        "The start parameter has characters that are not allowed.",
        "Use letters, digits, underscores and hyphens only."),
    "START_PARAM_TOO_LONG": _e(400, Kind.BAD_REQUEST,
        "The start parameter is too long.", "Shorten the start parameter to 64 characters."),
    "COLLECTIBLE_INVALID": _e(400, Kind.BAD_REQUEST,
        "The collectible for the emoji status is not valid.",
        "Choose a collectible that this account owns."),
    "DOCUMENT_INVALID": _e(400, Kind.BAD_REQUEST,
        "The custom emoji is not valid.", "Check the custom emoji id that the Mini App passed."),
    "BUTTON_INVALID": _e(400, Kind.BAD_REQUEST,
        "The button is not valid.", "Correct the type and the fields of the button."),
    "BUTTON_TEXT_INVALID": _e(400, Kind.BAD_REQUEST,
        "The text of the button is not valid.", "Correct the button's text."),
    "BUTTON_URL_INVALID": _e(400, Kind.BAD_REQUEST,
        "The URL of the button is not valid.", "Give the button an https URL."),
    "BUTTON_TYPE_INVALID": _e(400, Kind.BAD_REQUEST,
        "This type of button is not allowed here.",
        "Send Mini App buttons in private chats with the bot only."),
    "REPLY_MARKUP_INVALID": _e(400, Kind.BAD_REQUEST,
        "The keyboard is not valid.", "Correct the rows of the keyboard."),
    "REPLY_MESSAGE_ID_INVALID": _e(400, Kind.WRONG_CONTEXT,
        "There is no such message to reply to.", "Check the message id given as reply_to."),
    "SWITCH_WEBVIEW_URL_INVALID": _e(400, Kind.BAD_REQUEST,
        "The URL of the button above the inline results is not valid.",
        "Give the button an https URL."),
    "MESSAGE_EMPTY": _e(400, Kind.BAD_REQUEST,
        "The message is empty.", "Give the message a text."),
    "MESSAGE_TOO_LONG": _e(400, Kind.BAD_REQUEST,
        "The message is too long.", "Shorten the text to 4096 characters."),
    "MESSAGE_IDS_EMPTY": _e(400, Kind.BAD_REQUEST,
        "No message id was given.", "Give at least one message id."),
    "ENTITY_BOUNDS_INVALID": _e(400, Kind.BAD_REQUEST,
        "A formatted part lies outside the text.", "Count its offset and length in UTF-16 units."),
    "MEDIA_EMPTY": _e(400, Kind.BAD_REQUEST,
        "The media of the result is not valid.", "Choose another result."),
    "SEND_MEDIA_INVALID": _e((500, 400), Kind.REFUSED,
        "The media of the result cannot be sent.", "Choose another result."),
    "WEBPAGE_CURL_FAILED": _e(400, Kind.REFUSED,
        "Telegram could not load the media of the result from its URL.",
        "Choose another result, or see whether the bot's web server is up."),
    "WEBPAGE_MEDIA_EMPTY": _e(400, Kind.REFUSED,
        "The URL of the result holds no media that Telegram can use.", "Choose another result."),
    "QUERY_ID_EMPTY": _e(400, Kind.BAD_REQUEST,
        "The id of the inline query is missing.", "Give the query_id that came with the results."),
    "RESULT_ID_EMPTY": _e(400, Kind.BAD_REQUEST,
        "The id of the result is missing.", "Give the id of one of the results."),
    "RESULT_TYPE_INVALID": _e(400, Kind.BAD_REQUEST,
        "The type of the result is unknown.", "Correct the result's type."),
    "SEND_MESSAGE_TYPE_INVALID": _e(400, Kind.BAD_REQUEST,
        "The result holds a message of an unknown type.", "Correct the message of the result."),
    "INVITE_HASH_EMPTY": _e(400, Kind.BAD_REQUEST,
        "The invite link has no code.", "Check that the link was copied whole."),
    "USER_BOT_REQUIRED": _e(400, Kind.BAD_REQUEST,
        "Only a bot may call this.", "Call it from the bot's own session."),
    "USER_BOT_INVALID": _e((403, 400), Kind.BAD_REQUEST,
        "A user account may not call this without naming a bot it owns.",
        "Call it from the bot's own session."),
    "BUSINESS_CONNECTION_NOT_ALLOWED": _e(400, Kind.BAD_REQUEST,
        "This cannot be done over a business connection.",
        "Make the request without a business connection."),
    # The Mini App is over
    "QUERY_ID_INVALID": _e(400, Kind.OVER,
        "The session of this Mini App is over: it expired, or its bot has answered the query.",
        "Close the Mini App, and open it again if it is still needed."),
    # Wait and repeat
    "FLOOD_WAIT_%d": _e(420, Kind.FLOOD_WAIT,
        "This account made too many requests of this sort.",
        "Wait %d seconds before repeating it."),
    "FLOOD_PREMIUM_WAIT_%d": _e(420, Kind.FLOOD_WAIT,
        "This account made more requests of this sort than accounts without Premium may.",
        "Wait %d seconds before repeating it, or use an account with Telegram Premium."),
    "FLOOD_TEST_PHONE_WAIT_%d": _e(420, Kind.FLOOD_WAIT,
        "This test number was used too often on the test servers.",
        "Wait %d seconds, or take another test number."),
    "SLOWMODE_WAIT_%d": _e(420, Kind.FLOOD_WAIT,
        "The chat is in slow mode.", "Wait %d seconds before sending to this chat again."),
    "Timeout": _e(-503, Kind.TRANSIENT,
        "Telegram did not get the answer together in time.", "Repeat the request in a moment."),
    "MSG_WAIT_TIMEOUT": _e(-503, Kind.TRANSIENT,
        "The request waited too long for an earlier one.", "Repeat the request in a moment."),
    "MSG_WAIT_FAILED": _e((500, 400), Kind.TRANSIENT,
        "An earlier request that this one waited for failed.", "Repeat both requests in order."),
    "RPC_CALL_FAIL": _e(500, Kind.TRANSIENT,
        "Telegram has trouble inside.", "Repeat the request in a moment."),
    "RPC_MCGET_FAIL": _e(500, Kind.TRANSIENT,
        "Telegram has trouble inside.", "Repeat the request in a moment."),
    "WORKER_BUSY_TOO_LONG_RETRY": _e(500, Kind.TRANSIENT,
        "Telegram is too busy at the moment.", "Repeat the request in a moment."),
    "INTERDC_%d_CALL_ERROR": _e(500, Kind.TRANSIENT,
        "Telegram's data centres do not reach each other (data centre %d).",
        "Repeat the request in a moment."),
    "INTERDC_%d_CALL_RICH_ERROR": _e(500, Kind.TRANSIENT,
        "Telegram's data centres do not reach each other (data centre %d).",
        "Repeat the request in a moment."),
    "AUTH_KEY_UNSYNCHRONIZED": _e(500, Kind.TRANSIENT,
        "Telegram's servers do not all know this session yet.", "Repeat the request in a moment."),
    # Data centres
    "PHONE_MIGRATE_%d": _e(303, Kind.OTHER_DC,
        "The phone number lives in data centre %d.",
        "Connect to data centre %d and repeat the request there."),
    "NETWORK_MIGRATE_%d": _e(303, Kind.OTHER_DC,
        "This network address is served by data centre %d.",
        "Connect to data centre %d and repeat the request there."),
    "USER_MIGRATE_%d": _e(303, Kind.OTHER_DC,
        "The account lives in data centre %d.",
        "Connect to data centre %d and repeat the request there."),
    "PHONE_NOT_OCCUPIED": _e(400, Kind.NO_SUCH_BOT,
        "Nobody who can be found by phone number has this one.",
        "Check the number, or name the person by user name."),
    "TOPICS_EMPTY": _e(400, Kind.BAD_REQUEST,
        "No topic was named.", "Name at least one topic id."),
    "PERSISTENT_TIMESTAMP_EMPTY": _e(400, Kind.BAD_REQUEST,
        "The difference was asked for without a pts.",
        "Fetch the state of the updates first, then ask from its pts."),
    "PERSISTENT_TIMESTAMP_INVALID": _e(400, Kind.BAD_REQUEST,
        "The pts from which the difference was asked for is not one of this account.",
        "Fetch the state of the updates again and go on from there."),
    "TEMP_AUTH_KEY_EMPTY": _e(400, Kind.SIGN_IN_AGAIN,
        "No temporary key was given to be bound.", "Connect again, so that one is made."),
    "ENCRYPTED_MESSAGE_INVALID": _e(400, Kind.SIGN_IN_AGAIN,
        "The proof that both keys belong to the same client is wrong.",
        "Connect again, so that a new temporary key is made and bound."),
    "DC_ID_INVALID": _e(400, Kind.BAD_REQUEST,
        "There is no such data centre.", "Take the number of a data centre from help.getConfig."),
    "AUTH_BYTES_INVALID": _e(400, Kind.SIGN_IN_AGAIN,
        "The permission to move to this data centre is not valid.",
        "Connect again, so that a new permission is exported."),
    # The connection as Telegram sees it
    "CONNECTION_NOT_INITED": _e(400, Kind.TRANSIENT,
        "Telegram does not know which layer and application this connection is.",
        "Disconnect and connect again, which sends initConnection."),
    "CONNECTION_LAYER_INVALID": _e(400, Kind.BAD_REQUEST,
        "Telegram does not know the layer of this client.",
        "Update Telethon, or check which server this is."),
    "CONNECTION_API_ID_INVALID": _e(400, Kind.SIGN_IN,
        "Telegram does not know this api_id.",
        "Set TELEGRAM_API_ID and TELEGRAM_API_HASH to your own from my.telegram.org."),
    "INPUT_LAYER_INVALID": _e(400, Kind.BAD_REQUEST,
        "Telegram does not know the layer of this client.",
        "Update Telethon, or check which server this is."),
    "INPUT_METHOD_INVALID": _e(400, Kind.BAD_REQUEST,
        "Telegram does not have this method in the layer of this client.",
        "Update Telethon, or check which server this is."),
    "INPUT_METHOD_INVALID_%d": _e(400, Kind.BAD_REQUEST,
        "Telegram does not have the method with constructor %d in the layer of this client.",
        "Update Telethon, or check which server this is."),
    "INPUT_FETCH_ERROR": _e(400, Kind.BAD_REQUEST,
        "Telegram could not read the request.",
        "Check the types of its parameters, or update Telethon."),
    # Signing in
    "API_ID_INVALID": _e(400, Kind.SIGN_IN,
        "The api_id and the api_hash do not belong together.",
        "Set TELEGRAM_API_ID and TELEGRAM_API_HASH to your own from my.telegram.org."),
    "API_ID_PUBLISHED_FLOOD": _e(400, Kind.SIGN_IN,
        "This api_id was published somewhere, and Telegram no longer takes it.",
        "Get an api_id and api_hash of your own at my.telegram.org."),
    "PHONE_NUMBER_INVALID": _e((400, 406), Kind.SIGN_IN,
        "This is not a phone number.",
        "Give it in the international form: plus, country code, number."),
    "PHONE_NUMBER_BANNED": _e(400, Kind.SIGN_IN,
        "Telegram has banned this phone number.",
        "Use another account, or write to recover@telegram.org."),
    "PHONE_NUMBER_FLOOD": _e(400, Kind.SIGN_IN,
        "Too many codes were asked for with this number.",
        "Wait for a day before asking for another code."),
    "PHONE_NUMBER_UNOCCUPIED": _e(400, Kind.SIGN_IN,
        "No account has this phone number.",
        "Check the number and the server, or sign up with an official client first."),
    "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN": _e(400, Kind.SIGN_IN,
        "This application may not sign up new accounts.",
        "Sign up with an official client first."),
    "PHONE_PASSWORD_FLOOD": _e(406, Kind.SIGN_IN,
        "There were too many attempts to sign in.", "Wait for a day before trying again."),
    "PHONE_PASSWORD_PROTECTED": _e(400, Kind.SIGN_IN,
        "The phone number is protected by a password.",
        "Sign in with an official client, or by QR code."),
    "SMS_CODE_CREATE_FAILED": _e(400, Kind.SIGN_IN_AGAIN,
        "Telegram could not make a code.", "Ask for a code again in a moment."),
    "SEND_CODE_UNAVAILABLE": _e(406, Kind.SIGN_IN,
        "Every way of sending a code to this number was used up.",
        "Wait for the code sent last, or sign in by QR code."),
    "EMAIL_INSTALL_MISSING": _e(400, Kind.SIGN_IN,
        "The account has no login e-mail address to which a code could go.",
        "Set one with an official client, or sign in by QR code."),
    "PHONE_CODE_EMPTY": _e(400, Kind.WRONG_SECRET,
        "No code was given.", "Give the code that Telegram sent."),
    "PHONE_CODE_INVALID": _e(400, Kind.WRONG_SECRET,
        "The code is wrong.", "Give the newest code that Telegram sent to this number."),
    "PHONE_CODE_EXPIRED": _e(400, Kind.SIGN_IN_AGAIN,
        "The code has expired, or it was sent in a Telegram message and so became void.",
        "Ask for a new code."),
    "PHONE_CODE_HASH_EMPTY": _e(400, Kind.SIGN_IN_AGAIN,
        "The code does not belong to any sign-in that is under way.", "Ask for a new code."),
    "SESSION_PASSWORD_NEEDED": _e(401, Kind.PASSWORD_NEEDED,
        "The account is protected by a two-step password.", "Give the two-step password."),
    "PASSWORD_HASH_INVALID": _e(400, Kind.WRONG_SECRET,
        "The two-step password is wrong.", "Give the two-step password again."),
    "SRP_ID_INVALID": _e(400, Kind.WRONG_SECRET,
        "The password check was begun too long ago.", "Give the two-step password again."),
    "SRP_PASSWORD_CHANGED": _e(400, Kind.WRONG_SECRET,
        "The two-step password was changed meanwhile.", "Give the new two-step password."),
    "AUTH_RESTART": _e(500, Kind.SIGN_IN_AGAIN,
        "Telegram has lost track of this sign-in.", "Start signing in again."),
    "AUTH_RESTART_%d": _e(500, Kind.TRANSIENT,
        "Telegram had trouble inside (number %d) during this sign-in.",
        "Ask for the code again in a moment."),
    "SIGN_IN_FAILED": _e(500, Kind.SIGN_IN_AGAIN,
        "Telegram failed to sign the account in.", "Start signing in again."),
    "UPDATE_APP_TO_LOGIN": _e(406, Kind.SIGN_IN,
        "Telegram no longer lets clients of this layer sign in.", "Update Telethon."),
    "AUTH_TOKEN_ALREADY_ACCEPTED": _e(400, Kind.ALREADY_DONE,
        "This QR code was scanned and accepted before.",
        "Go on with the account that scanned it, or show a new QR code."),
    "AUTH_TOKEN_EXPIRED": _e(400, Kind.SIGN_IN_AGAIN,
        "The QR code has expired.", "Show a new QR code and scan it."),
    "AUTH_TOKEN_INVALID": _e(400, Kind.SIGN_IN_AGAIN,
        "The QR code is not valid.", "Show a new QR code and scan it."),
    "AUTH_TOKEN_INVALIDX": _e(400, Kind.SIGN_IN_AGAIN,
        "The QR code is not valid.", "Show a new QR code and scan it."),
    "ACCESS_TOKEN_INVALID": _e(400, Kind.WRONG_SECRET,
        "The bot token is wrong.", "Copy the token from BotFather again."),
    "ACCESS_TOKEN_EXPIRED": _e(400, Kind.WRONG_SECRET,
        "The bot token was revoked.", "Copy the present token from BotFather."),
    # The session is gone
    "AUTH_KEY_UNREGISTERED": _e(401, Kind.ACCOUNT_LOST,
        "Nobody is signed in with this session.", "Sign the account in again."),
    "AUTH_KEY_INVALID": _e(401, Kind.ACCOUNT_LOST,
        "The key of this session is not valid.",
        "Delete the session file and sign the account in again."),
    "AUTH_KEY_NOT_FOUND": _e(-404, Kind.ACCOUNT_LOST,
        "Telegram has forgotten the key of this session, or it belongs to another server.",
        "Check TELEGRAM_SERVER, then delete the session file and sign the account in again."),
    "AUTH_KEY_PERM_EMPTY": _e(401, Kind.ACCOUNT_LOST,
        "The key of this session is a temporary one that was not bound to a permanent one.",
        "Delete the session file and sign the account in again."),
    "AUTH_KEY_DUPLICATED": _e(406, Kind.ACCOUNT_LOST,
        "The session was used from two places at once, and Telegram has ended it.",
        "Sign the account in again, and give each machine a session of its own."),
    "SESSION_EXPIRED": _e(401, Kind.ACCOUNT_LOST,
        "The session has expired.", "Sign the account in again."),
    "SESSION_REVOKED": _e(401, Kind.ACCOUNT_LOST,
        "The user has ended this session from another device.", "Sign the account in again."),
    "USER_DEACTIVATED": _e(401, Kind.ACCOUNT_LOST,
        "The account has been deleted.", "Use another account."),
    "USER_DEACTIVATED_BAN": _e(401, Kind.ACCOUNT_LOST,
        "Telegram has banned and deleted the account.",
        "Use another account, or write to recover@telegram.org."),
}
# fmt: on

_JOIN = """
    CHANNELS_TOO_MUCH CHANNEL_INVALID CHANNEL_PRIVATE CHAT_INVALID INVITE_HASH_EMPTY
    INVITE_HASH_EXPIRED INVITE_HASH_INVALID INVITE_REQUEST_SENT MSG_ID_INVALID PEER_ID_INVALID
    USERS_TOO_MUCH USER_ALREADY_PARTICIPANT USER_CHANNELS_TOO_MUCH
    INVITE_REQUEST_DECLINED JOIN_GUARD_TIMEOUT
"""

_METHODS: dict[str, str] = {
    ANY_METHOD: """
        BUSINESS_CONNECTION_NOT_ALLOWED CONNECTION_NOT_INITED CONNECTION_LAYER_INVALID
        CONNECTION_API_ID_INVALID INPUT_LAYER_INVALID INPUT_METHOD_INVALID INPUT_METHOD_INVALID_%d
        INPUT_FETCH_ERROR METHOD_INVALID
        NETWORK_MIGRATE_%d PHONE_MIGRATE_%d USER_MIGRATE_%d
        AUTH_KEY_UNREGISTERED AUTH_KEY_INVALID AUTH_KEY_PERM_EMPTY AUTH_KEY_DUPLICATED
        AUTH_KEY_NOT_FOUND SESSION_EXPIRED SESSION_REVOKED SESSION_PASSWORD_NEEDED
        USER_DEACTIVATED USER_DEACTIVATED_BAN FROZEN_METHOD_INVALID FROZEN_PARTICIPANT_MISSING
        FLOOD_WAIT_%d FLOOD_PREMIUM_WAIT_%d FLOOD_TEST_PHONE_WAIT_%d
        Timeout MSG_WAIT_TIMEOUT MSG_WAIT_FAILED RPC_CALL_FAIL RPC_MCGET_FAIL
        WORKER_BUSY_TOO_LONG_RETRY AUTH_KEY_UNSYNCHRONIZED
        INTERDC_%d_CALL_ERROR INTERDC_%d_CALL_RICH_ERROR
    """,
    # Opening
    "messages.requestWebView": """
        BOT_INVALID BOT_WEBVIEW_DISABLED INPUT_USER_DEACTIVATED MSG_ID_INVALID PEER_ID_INVALID
        SEND_AS_PEER_INVALID THEME_PARAMS_INVALID URL_INVALID YOU_BLOCKED_USER
        CHAT_WRITE_FORBIDDEN PRIVACY_PREMIUM_REQUIRED
    """,
    "messages.requestSimpleWebView": "BOT_INVALID URL_INVALID",
    "messages.requestAppWebView": """
        BOT_APP_BOT_INVALID BOT_APP_INVALID BOT_APP_SHORTNAME_INVALID MSG_ID_INVALID
        THEME_PARAMS_INVALID
    """,
    "messages.requestMainWebView": "BOT_INVALID",
    "messages.requestChatJoinWebView": "",
    "messages.getBotApp": "BOT_APP_BOT_INVALID BOT_APP_INVALID BOT_APP_SHORTNAME_INVALID",
    "messages.getAttachMenuBots": "",
    "messages.getAttachMenuBot": "BOT_INVALID",
    "messages.toggleBotInAttachMenu": "BOT_INVALID",
    "messages.startBot": """
        BOT_INVALID CHAT_ADMIN_REQUIRED CHAT_WRITE_FORBIDDEN INPUT_USER_DEACTIVATED MSG_ID_INVALID
        PEER_ID_INVALID RANDOM_ID_DUPLICATE START_PARAM_EMPTY START_PARAM_INVALID
        START_PARAM_TOO_LONG
    """,
    "contacts.resolveUsername": """
        CONNECTION_LAYER_INVALID STARREF_EXPIRED USERNAME_INVALID USERNAME_NOT_OCCUPIED
    """,
    "contacts.unblock": "CHANNEL_PRIVATE CONTACT_ID_INVALID MSG_ID_INVALID PEER_ID_INVALID",
    "users.getUsers": """
        CHANNEL_INVALID CHANNEL_MONOFORUM_UNSUPPORTED CHANNEL_PRIVATE MSG_ID_INVALID
        PEER_ID_INVALID USER_BANNED_IN_CHANNEL
    """,
    "users.getFullUser": "CHANNEL_INVALID CHANNEL_PRIVATE MSG_ID_INVALID USER_ID_INVALID",
    "messages.getMessages": "MESSAGE_ID_INVALID MSG_ID_INVALID",
    "channels.getMessages": """
        CHANNEL_INVALID CHANNEL_PRIVATE FROZEN_PARTICIPANT_MISSING MESSAGE_IDS_EMPTY MSG_ID_INVALID
        USER_BANNED_IN_CHANNEL
    """,
    "channels.joinChannel": _JOIN
    + "CHANNEL_MONOFORUM_UNSUPPORTED FROZEN_METHOD_INVALID USER_BANNED_IN_CHANNEL",
    "messages.importChatInvite": _JOIN + "STARS_PAYMENT_REQUIRED",
    "messages.checkChatInvite": """
        CHANNEL_PRIVATE INVITE_HASH_EMPTY INVITE_HASH_EXPIRED INVITE_HASH_INVALID
    """,
    # Reading, and finding one's way
    "messages.getHistory": "CHANNEL_INVALID CHANNEL_PRIVATE CHAT_ID_INVALID PEER_ID_INVALID",
    "messages.getReplies": "CHANNEL_INVALID CHANNEL_PRIVATE MSG_ID_INVALID PEER_ID_INVALID",
    "messages.getPeerDialogs": "CHANNEL_INVALID CHANNEL_PRIVATE PEER_ID_INVALID",
    "messages.getForumTopics": "CHANNEL_FORUM_MISSING PEER_ID_INVALID",
    "messages.getForumTopicsByID": "CHANNEL_FORUM_MISSING PEER_ID_INVALID TOPICS_EMPTY",
    "messages.getFullChat": "CHAT_ID_INVALID PEER_ID_INVALID",
    "channels.getChannels": "CHANNEL_INVALID CHANNEL_PRIVATE",
    "channels.getFullChannel": "CHANNEL_INVALID CHANNEL_PRIVATE",
    "channels.getSendAs": "CHANNEL_INVALID CHANNEL_PRIVATE CHAT_ID_INVALID PEER_ID_INVALID",
    "contacts.block": "CONTACT_ID_INVALID PEER_ID_INVALID",
    "contacts.resolvePhone": "PHONE_NOT_OCCUPIED",
    "updates.getDifference": "PERSISTENT_TIMESTAMP_EMPTY PERSISTENT_TIMESTAMP_INVALID",
    "updates.getChannelDifference": """
        CHANNEL_INVALID CHANNEL_PRIVATE PERSISTENT_TIMESTAMP_EMPTY PERSISTENT_TIMESTAMP_INVALID
    """,
    # Keeping alive, sending, answering
    "messages.prolongWebView": "BOT_INVALID QUERY_ID_INVALID",
    "messages.sendWebViewData": "BOT_INVALID RANDOM_ID_DUPLICATE",
    "messages.getInlineBotResults": """
        BOT_INLINE_DISABLED BOT_INVALID BOT_RESPONSE_TIMEOUT CHANNEL_INVALID CHANNEL_PRIVATE
        INPUT_USER_DEACTIVATED MSG_ID_INVALID Timeout
    """,
    "messages.sendInlineBotResult": """
        ALLOW_PAYMENT_REQUIRED_%d CHANNEL_INVALID CHANNEL_PRIVATE CHAT_ADMIN_REQUIRED
        CHAT_GUEST_SEND_FORBIDDEN CHAT_RESTRICTED CHAT_SEND_AUDIOS_FORBIDDEN
        CHAT_SEND_GAME_FORBIDDEN CHAT_SEND_GIFS_FORBIDDEN CHAT_SEND_INLINE_FORBIDDEN
        CHAT_SEND_MEDIA_FORBIDDEN CHAT_SEND_PHOTOS_FORBIDDEN CHAT_SEND_PLAIN_FORBIDDEN
        CHAT_SEND_STICKERS_FORBIDDEN CHAT_SEND_VOICES_FORBIDDEN CHAT_WRITE_FORBIDDEN
        ENTITY_BOUNDS_INVALID INLINE_RESULT_EXPIRED INPUT_USER_DEACTIVATED MEDIA_EMPTY
        MSG_ID_INVALID PEER_ID_INVALID PRIVACY_PREMIUM_REQUIRED QUERY_ID_EMPTY RANDOM_ID_DUPLICATE
        RESULT_ID_EMPTY RESULT_ID_INVALID SEND_AS_PEER_INVALID SEND_MEDIA_INVALID
        SLOWMODE_WAIT_%d TOPIC_DELETED USER_BANNED_IN_CHANNEL VOICE_MESSAGES_FORBIDDEN
        WEBPAGE_CURL_FAILED WEBPAGE_MEDIA_EMPTY YOU_BLOCKED_USER
    """,
    "messages.sendMessage": """
        BUTTON_TYPE_INVALID BUTTON_URL_INVALID CHANNEL_INVALID CHANNEL_PRIVATE CHAT_ADMIN_REQUIRED
        CHAT_RESTRICTED CHAT_WRITE_FORBIDDEN INPUT_USER_DEACTIVATED MESSAGE_EMPTY MESSAGE_TOO_LONG
        MSG_ID_INVALID PEER_ID_INVALID PRIVACY_PREMIUM_REQUIRED RANDOM_ID_DUPLICATE
        REPLY_MARKUP_INVALID REPLY_MESSAGE_ID_INVALID SEND_AS_PEER_INVALID SLOWMODE_WAIT_%d
        TOPIC_CLOSED TOPIC_DELETED USER_BANNED_IN_CHANNEL USER_IS_BLOCKED YOU_BLOCKED_USER
    """,
    # What a page asks for
    "bots.canSendMessage": "BOT_INVALID",
    "bots.allowSendMessage": "BOT_INVALID",
    "bots.checkDownloadFileParams": "BOT_INVALID",
    "bots.toggleUserEmojiStatusPermission": "BOT_INVALID",
    "bots.invokeWebViewCustomMethod": "BOT_INVALID DATA_JSON_INVALID METHOD_INVALID",
    "bots.getRequestedWebViewButton": "BOT_ID_INVALID WEBAPP_REQ_ID_INVALID",
    "bots.getPreviewMedias": "BOT_INVALID",
    "bots.getPopularAppBots": "",
    "messages.getPreparedInlineMessage": "ID_EXPIRED ID_INVALID",
    "messages.sendBotRequestedPeer": "MESSAGE_ID_INVALID PEER_ID_INVALID",
    "messages.requestUrlAuth": "OAUTH_REQUEST_INVALID URL_EXPIRED URL_INVALID",
    "account.updateEmojiStatus": """
        COLLECTIBLE_INVALID DOCUMENT_INVALID PREMIUM_ACCOUNT_REQUIRED
    """,
    "payments.getPaymentForm": """
        BOT_ACCESS_FORBIDDEN BOT_INVOICE_INVALID INVOICE_INVALID MESSAGE_ID_INVALID MSG_ID_INVALID
        PEER_ID_INVALID SLUG_INVALID
    """,
    # The bot's side
    "messages.sendWebViewResultMessage": "QUERY_ID_INVALID USER_BOT_REQUIRED",
    "messages.setInlineBotResults": """
        BUTTON_TYPE_INVALID BUTTON_URL_INVALID MESSAGE_EMPTY QUERY_ID_INVALID REPLY_MARKUP_INVALID
        RESULT_ID_INVALID RESULT_TYPE_INVALID SEND_MESSAGE_TYPE_INVALID START_PARAM_EMPTY
        START_PARAM_INVALID SWITCH_WEBVIEW_URL_INVALID URL_INVALID USER_BOT_INVALID
        USER_BOT_REQUIRED
    """,
    "bots.requestWebViewButton": "BUTTON_INVALID USER_BOT_REQUIRED USER_ID_INVALID",
    "bots.setBotMenuButton": """
        BUTTON_INVALID BUTTON_TEXT_INVALID BUTTON_URL_INVALID USER_BOT_REQUIRED
    """,
    "bots.getBotMenuButton": "USER_BOT_REQUIRED",
    "bots.setJoinChatResults": "BOT_GUARD_NOT_SUPPORTED USER_BOT_REQUIRED",
    "bots.updateUserEmojiStatus": "USER_BOT_REQUIRED USER_ID_INVALID USER_PERMISSION_DENIED",
    # Signing in
    "auth.sendCode": """
        API_ID_INVALID API_ID_PUBLISHED_FLOOD AUTH_RESTART AUTH_RESTART_%d
        PHONE_NUMBER_APP_SIGNUP_FORBIDDEN PHONE_NUMBER_BANNED PHONE_NUMBER_FLOOD
        PHONE_NUMBER_INVALID PHONE_PASSWORD_FLOOD PHONE_PASSWORD_PROTECTED PHONE_MIGRATE_%d
        SMS_CODE_CREATE_FAILED UPDATE_APP_TO_LOGIN
    """,
    "auth.resendCode": """
        EMAIL_INSTALL_MISSING PHONE_CODE_EMPTY PHONE_CODE_EXPIRED PHONE_CODE_HASH_EMPTY
        PHONE_NUMBER_INVALID SEND_CODE_UNAVAILABLE
    """,
    "auth.cancelCode": "PHONE_CODE_EXPIRED PHONE_NUMBER_INVALID",
    "auth.signIn": """
        AUTH_RESTART PHONE_CODE_EMPTY PHONE_CODE_EXPIRED PHONE_CODE_INVALID PHONE_NUMBER_INVALID
        PHONE_NUMBER_UNOCCUPIED SESSION_PASSWORD_NEEDED SIGN_IN_FAILED UPDATE_APP_TO_LOGIN
    """,
    "account.getPassword": "",
    "auth.checkPassword": """
        AUTH_KEY_UNSYNCHRONIZED PASSWORD_HASH_INVALID SRP_ID_INVALID SRP_PASSWORD_CHANGED
    """,
    "auth.exportLoginToken": """
        API_ID_INVALID API_ID_PUBLISHED_FLOOD AUTH_RESTART SESSION_PASSWORD_NEEDED
    """,
    "auth.importLoginToken": """
        AUTH_TOKEN_ALREADY_ACCEPTED AUTH_TOKEN_EXPIRED AUTH_TOKEN_INVALID AUTH_TOKEN_INVALIDX
        SESSION_PASSWORD_NEEDED
    """,
    "auth.acceptLoginToken": "AUTH_TOKEN_ALREADY_ACCEPTED AUTH_TOKEN_EXPIRED AUTH_TOKEN_INVALID",
    "auth.bindTempAuthKey": "ENCRYPTED_MESSAGE_INVALID TEMP_AUTH_KEY_EMPTY",
    "auth.importBotAuthorization": """
        ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_INVALID API_ID_INVALID API_ID_PUBLISHED_FLOOD
    """,
    "auth.exportAuthorization": "DC_ID_INVALID",
    "auth.importAuthorization": "AUTH_BYTES_INVALID USER_ID_INVALID",
    "auth.logOut": "",
}

# fmt: off
_SPECIAL: dict[tuple[str, str], _Entry] = {
    ("messages.requestMainWebView", "BOT_INVALID"): _e(400, Kind.NO_SUCH_BOT,
        "The user given is not a bot, or the bot has no main Mini App.",
        "Check the bot's user name, and that its profile shows the Open App button."),
    ("messages.sendWebViewData", "RANDOM_ID_DUPLICATE"): _e(500, Kind.ALREADY_DONE,
        "The bot has got this data already; the answer to the first attempt was lost.",
        "Take the data as sent, and do not send it again."),
    ("messages.sendWebViewResultMessage", "QUERY_ID_INVALID"): _e(400, Kind.OVER,
        "The Mini App was closed, was answered before, or the query id is wrong.",
        "Answer each query once, with the query_id of its init data, while the app is open."),
    ("messages.setInlineBotResults", "QUERY_ID_INVALID"): _e(400, Kind.OVER,
        "The inline query is too old or its id is wrong.",
        "Answer each inline query within its few seconds."),
    ("messages.setInlineBotResults", "RESULT_ID_INVALID"): _e(400, Kind.BAD_REQUEST,
        "A result has an id that is not allowed.",
        "Give each result an id of its own of 1 to 64 bytes."),
    ("messages.setInlineBotResults", "URL_INVALID"): _e(400, Kind.BAD_REQUEST,
        "A URL in the results is not valid.", "Give https URLs in the results."),
    ("messages.getInlineBotResults", "Timeout"): _e(-503, Kind.TRANSIENT,
        "The bot did not answer the inline query in time.",
        "Try again, and see whether the bot is running."),
    ("messages.requestUrlAuth", "URL_INVALID"): _e(400, Kind.STALE,
        "The URL is not one that this button or bot may sign in to.",
        "Fetch the message again and press the button it shows now."),
    ("bots.invokeWebViewCustomMethod", "METHOD_INVALID"): _e(400, Kind.BAD_REQUEST,
        "Telegram has no custom method of this name for Mini Apps.",
        "Check the name of the method that the Mini App called."),
    ("messages.sendBotRequestedPeer", "MESSAGE_ID_INVALID"): _e(400, Kind.STALE,
        "The message with the request button is gone, or the button is another.",
        "Fetch the message or the prepared button again."),
    ("auth.importAuthorization", "USER_ID_INVALID"): _e(400, Kind.SIGN_IN_AGAIN,
        "The permission to move to this data centre belongs to another user.",
        "Connect again, so that a new permission is exported."),
}
# fmt: on

_TELETHON = "Telethon's list of errors"

# Rows that the page of the method, or the general page, does not have.
_SOURCES: dict[tuple[str, str], str] = {
    (ANY_METHOD, "AUTH_KEY_NOT_FOUND"): "core.telegram.org/mtproto/mtproto-transports",
    (ANY_METHOD, "SESSION_PASSWORD_NEEDED"): "core.telegram.org/api/auth",
    (
        ANY_METHOD,
        "INPUT_METHOD_INVALID_%d",
    ): "public reports: the constructor and one more number are appended",
    (ANY_METHOD, "FLOOD_TEST_PHONE_WAIT_%d"): _TELETHON,
    (ANY_METHOD, "RPC_CALL_FAIL"): _TELETHON,
    (ANY_METHOD, "RPC_MCGET_FAIL"): _TELETHON,
    (ANY_METHOD, "WORKER_BUSY_TOO_LONG_RETRY"): _TELETHON,
    (ANY_METHOD, "INTERDC_%d_CALL_ERROR"): _TELETHON,
    (ANY_METHOD, "INTERDC_%d_CALL_RICH_ERROR"): _TELETHON,
    ("auth.sendCode", "PHONE_MIGRATE_%d"): "core.telegram.org/api/datacenter",
    ("auth.signIn", "SESSION_PASSWORD_NEEDED"): "core.telegram.org/api/auth",
    ("auth.exportLoginToken", "SESSION_PASSWORD_NEEDED"): "core.telegram.org/api/qr-login",
    ("auth.importLoginToken", "SESSION_PASSWORD_NEEDED"): "core.telegram.org/api/qr-login",
    ("messages.prolongWebView", "QUERY_ID_INVALID"): "core.telegram.org/api/bots/webapps",
    (
        "messages.sendWebViewData",
        "RANDOM_ID_DUPLICATE",
    ): "core.telegram.org/method/messages.startBot",
    ("channels.joinChannel", "INVITE_REQUEST_DECLINED"): "TDLib",
    ("channels.joinChannel", "JOIN_GUARD_TIMEOUT"): "TDLib",
    ("messages.importChatInvite", "INVITE_REQUEST_DECLINED"): "TDLib",
    ("messages.importChatInvite", "JOIN_GUARD_TIMEOUT"): "TDLib",
}


def _source(method: str, name: str) -> str:
    page = "api/errors" if method == ANY_METHOD else f"method/{method}"
    return _SOURCES.get((method, name), f"core.telegram.org/{page}")


def _rows() -> Iterator[Row]:
    for method, names in _METHODS.items():
        for name in names.split():
            entry = _SPECIAL.get((method, name), _NAMES[name])
            yield Row(method, name, *entry, source=_source(method, name))


ROWS: tuple[Row, ...] = tuple(_rows())
"""Every row, grouped by method in the order of opening, reading, living, asking, bots, signing in."""

_BY_METHOD_AND_NAME = {(row.method, row.name): row for row in ROWS}


def row(method: str | None, name: str, code: int | None = None) -> Row | None:
    """The row of an error, or None when neither the method nor `"*"` has it.

    `method` is a TL name such as `messages.requestWebView`; None looks among the general errors
    only. `name` has `%d` in place of a number. A `code`, when given, must be a documented one.
    """
    candidates = (method, ANY_METHOD) if method else (ANY_METHOD,)
    found = (_BY_METHOD_AND_NAME.get((candidate, name)) for candidate in candidates)
    return next((r for r in found if r and (code is None or code in r.codes)), None)


def anywhere(name: str) -> Row | None:
    """What the name means elsewhere, for a method whose documentation does not list it."""
    entry = _NAMES.get(name)
    return entry and Row(ANY_METHOD, name, *entry, source="documented for other methods only")


def methods() -> frozenset[str]:
    """Every method of the table, also those without errors of their own; without `"*"`."""
    return frozenset(_METHODS) - {ANY_METHOD}


def errors_of(method: str) -> frozenset[str]:
    """The names which this method's documentation lists; those of `"*"` can follow any method.

    Empty for a method that has none, and for one that is not in the table.
    """
    return frozenset(_METHODS.get(method, "").split())
