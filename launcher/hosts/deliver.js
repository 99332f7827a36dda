// Hands one event to the page. Returns "" when an entry point took it, "none" when there is none yet, or "!" and what
// the page threw.
//
// The official script offers three functions that are the same one, and each other library defines them anew: so the
// first that is there is called, once, as each client does. A page of neither kind may listen to `message`.
(text, framed) => {
  const { eventType: type, ...rest } = JSON.parse(text);
  if (framed) {
    document.querySelector('iframe').contentWindow.postMessage(text, '*');
    return '';
  }
  const entries = [
    [window.Telegram?.WebView, 'receiveEvent'],
    [window.TelegramGameProxy, 'receiveEvent'],
    [window, 'TelegramGameProxy_receiveEvent'],
  ];
  for (const [owner, name] of entries) {
    if (typeof owner?.[name] !== 'function') continue;
    try {
      'eventData' in rest ? owner[name](type, rest.eventData) : owner[name](type);
      return '';
    } catch (failure) {
      return '!' + failure;
    }
  }
  window.dispatchEvent(new MessageEvent('message', { data: text, source: window }));
  return 'none';
}
