// A Mini App without any library: what the bridge is, in one page.
//
// A native client puts `TelegramWebviewProxy` into the page and calls `Telegram.WebView.receiveEvent`; a web client
// shows the page in an iframe and speaks by postMessage. Documentation: core.telegram.org/api/web-events.
'use strict';

const FLOWS = {
  keyboard_button: ['Keyboard button', 'A key below the chat', 205, 'M3 7h18v10H3z M7 11h.01M12 11h.01M17 11h.01M8 14h8'],
  inline_button: ['Inline button', 'A button under a message', 262, 'M4 4h16v9H9l-5 4z M8 20h8'],
  menu_button: ['Menu button', "Beside the bot's message field", 150, 'M4 7h16M4 12h16M4 17h10'],
  attachment_menu: ['Attachment menu', 'The paper clip of a chat', 28, 'M20 11l-8.5 8.5a5 5 0 01-7-7L13 4a3.4 3.4 0 015 5l-8.500 8.500a1.700 1.700 0 01-2.500-2.500L14.500 7.500'],
  side_menu: ['Side menu', "The client's main menu", 322, 'M4 4h16v16H4z M9 4v16'],
  inline_mode: ['Inline mode', 'The button above inline results', 180, 'M4 12h10M10 7l5 5-5 5M19 5v14'],
  direct_link: ['Direct link', 't.me/bot/app', 232, 'M10 14a4 4 0 005.700 0l3-3a4 4 0 00-5.700-5.700l-1.500 1.500M14 10a4 4 0 00-5.700 0l-3 3A4 4 0 0011 18.700l1.500-1.500'],
  main_app: ['Main Mini App', "The bot's profile and t.me/bot?startapp", 46, 'M4 11l8-7 8 7v9H4z M10 20v-6h4v6'],
  chat_join: ['Chat join', 'A guard bot before a channel', 350, 'M12 3l8 3v6c0 4.500-3.500 8-8 9-4.500-1-8-4.500-8-9V6z M9 12l2 2 4-4'],
};
const element = (id) => document.getElementById(id);
const make = (tag, text, className = '') => Object.assign(document.createElement(tag), { textContent: text, className });

// What the launch URL says. It is taken from the fragment; init data stays here, only who and where is shown.

const launch = new URLSearchParams(location.hash.slice(1));
const initData = new URLSearchParams(launch.get('tgWebAppData') || '');
const json = (text) => { try { return JSON.parse(text); } catch { return null; } };
const person = json(initData.get('user'));
const partner = json(initData.get('receiver')) || json(initData.get('chat'));
const path = location.pathname.replaceAll('/', '');
const flow = path === 'attachment_menu' && !partner && !initData.has('query_id') ? 'side_menu' : path;

// The bridge

const native = window.TelegramWebviewProxy;
const waiting = new Set(['theme_changed', 'viewport_changed']);

function post(name, data) {
  log('out', name, data);
  if (native) native.postEvent(name, data === undefined ? undefined : JSON.stringify(data));
  else if (parent !== window) parent.postMessage(JSON.stringify({ eventType: name, eventData: data }), '*');
}

function receive(name, data) {
  log('in', name, data);
  waiting.delete(name);
  if (!waiting.size) document.documentElement.dataset.settled = '';
  handlers[name]?.(data ?? {});
}

const handlers = {
  theme_changed: ({ theme_params }) => wear(theme_params),
  viewport_changed: ({ width, height, is_expanded }) => {
    fact('Viewport', `${Math.round(width ?? innerWidth)} × ${Math.round(height)}`);
    fact('Expanded', is_expanded ? 'yes' : 'no');
  },
  reload_iframe: () => { post('iframe_will_reload'); location.reload(); },
  main_button_pressed: () => post('web_app_trigger_haptic_feedback', { type: 'notification', notification_type: 'success' }),
};
window.Telegram = { WebView: { receiveEvent: receive } };
window.addEventListener('message', ({ source, data }) => {
  if (native || source !== parent || typeof data !== 'string') return;
  const { eventType, eventData } = json(data) ?? {};
  if (eventType === 'set_custom_style') document.head.append(make('style', eventData));
  else if (typeof eventType === 'string') receive(eventType, eventData);
});

// What is shown

function log(direction, name, data) {
  const line = make('li', '');
  const text = data === undefined ? '' : JSON.stringify(data);
  line.append(make('b', direction === 'out' ? '↑' : '↓', direction), make('b', name), make('span', text));
  element('log').append(line);
  element('log').scrollTop = element('log').scrollHeight;
}

function fact(name, value) {
  const id = `fact-${name.toLowerCase().replaceAll(' ', '-')}`;
  let entry = element(id);
  if (!entry) {
    entry = make('div', '');
    entry.id = id;
    entry.append(make('dt', name), make('dd', ''));
    element('facts').append(entry);
  }
  entry.lastChild.textContent = value;
  entry.lastChild.title = value;
}

const COLOURS = {
  bg_color: '--bg', text_color: '--text', hint_color: '--hint', link_color: '--link', button_color: '--button',
  button_text_color: '--button-text', secondary_bg_color: '--page', section_bg_color: '--section',
  accent_text_color: '--accent', destructive_text_color: '--danger', section_separator_color: '--line',
};

function wear(theme) {
  if (!theme) return;
  const valid = Object.entries(theme).filter(([, colour]) => /^#[0-9a-f]{6}$/i.test(colour));
  for (const [name, colour] of valid) {
    if (COLOURS[name]) document.documentElement.style.setProperty(COLOURS[name], colour);
  }
  const background = theme.bg_color || '#ffffff';
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(background.slice(at, at + 2), 16));
  const scheme = 0.299 * red + 0.587 * green + 0.114 * blue < 120 ? 'dark' : 'light';
  document.documentElement.dataset.scheme = scheme;
  fact('Theme', scheme);
  fact('Colours', valid.length);
  element('theme').replaceChildren(...valid.map(([name, colour]) => {
    const swatch = make('li', '');
    swatch.style.background = colour;
    swatch.title = `${name} ${colour}`;
    return swatch;
  }));
}

function introduce() {
  const [title, how, hue, drawing] = FLOWS[flow] ?? ['Mini App', path, 200, 'M4 4h16v16H4z'];
  document.title = title;
  document.documentElement.dataset.flow = flow;
  document.documentElement.style.setProperty('--hue', hue);
  element('flow').textContent = title;
  element('how').textContent = how;
  element('emblem').innerHTML = `<svg viewBox="0 0 24 24"><path d="${drawing}"/></svg>`;
  const name = person && [person.first_name, person.last_name].filter(Boolean).join(' ');
  element('avatar').textContent = name ? [...name][0] : '?';
  element('name').textContent = name ? `Opened by ${name}` : 'Opened by somebody';
  element('about').textContent = person ? about() : 'This way, an app is not told by whom.';
  fact('Platform', launch.get('tgWebAppPlatform') ?? 'none');
  fact('Version', launch.get('tgWebAppVersion') ?? 'none');
  fact('Transport', native ? 'native' : parent === window ? 'none' : 'iframe');
  fact('Start param', launch.get('tgWebAppStartParam') ?? initData.get('start_param') ?? 'none');
  fact('Theme', 'none');
  fact('Viewport', `${innerWidth} × ${innerHeight}`);
  fact('Expanded', 'not told');
  fact('Colours', 0);
  fact('Chat', initData.get('chat_type') ?? (partner ? 'private' : 'none'));
  wear(json(launch.get('tgWebAppThemeParams')));
}

function about() {
  const facts = [person.username && `@${person.username}`, person.language_code];
  if (partner) facts.push(`in the chat with ${partner.first_name ?? partner.title}`);
  if (initData.has('query_id')) facts.push('may answer a query');
  if (initData.has('chat_join_request_query_id')) facts.push('wants to join');
  return facts.filter(Boolean).join(' · ');
}

// The buttons

let number = 0;
const invoke = (method, params) => post('web_app_invoke_custom_method', { req_id: String(number += 1), method, params });
const typed = () => element('text').value;
let mainButton = true;
const setUpMainButton = () => post('web_app_setup_main_button', {
  is_visible: mainButton, is_active: true, text: 'Order now', is_progress_visible: false,
});

const actions = {
  main_button: () => { mainButton = !mainButton; setUpMainButton(); },
  popup: () => post('web_app_open_popup', {
    title: 'Sample', message: typed() || 'Hello', buttons: [{ id: 'yes', type: 'ok' }, { id: 'no', type: 'cancel' }],
  }),
  haptic: () => post('web_app_trigger_haptic_feedback', { type: 'impact', impact_style: 'medium' }),
  phone: () => post('web_app_request_phone'),
  write_access: () => post('web_app_request_write_access'),
  save: () => invoke('saveStorageValue', { key: 'text', value: typed() }),
  read: () => invoke('getStorageValues', { keys: ['text'] }),
  send_data: () => post('web_app_data_send', { data: typed() }),
  close: () => post('web_app_close'),
};
for (const [id, action] of Object.entries(actions)) element(id).addEventListener('click', action);

// The beginning. `data-settled` on <html> will say that the client has answered the first questions.

introduce();
if (!native && parent !== window) post('iframe_ready', { reload_supported: true });
post('web_app_ready');
post('web_app_expand');
post('web_app_request_theme');
post('web_app_request_viewport');
setUpMainButton();
