// Runs in every document of the page before any script of it, and holds what Telegram's client puts there.
//
// `options` = {binding, framed, events: [most, perSecond], characters: [most, perSecond], eventCharacters,
// messages}. The binding leads to Python. It is taken out of the window at once, so that no page and no iframe can
// call it: whatever arrives has passed the limits here, and the origin that is told is the document's own.
//
// A page may redefine anything (Array.prototype.push, JSON.stringify, ...). So everything needed is taken
// while it is still the browser's, batches are joined as strings, and no array or object of ours is read by the way
// of a prototype.
(options) => {
  const outlet = window[options.binding];
  delete window[options.binding];

  const { apply } = Reflect;
  const stringify = JSON.stringify;
  const parse = JSON.parse;
  const now = performance.now.bind(performance);
  const later = window.setTimeout.bind(window);
  const text = String;
  const { preventDefault, stopImmediatePropagation } = Event.prototype;

  // Console output and uncaught errors cost the browser's debugger much more than the page: only so many
  // of them per second go through.
  let messages = 0;
  let second = now();
  const quiet = () => {
    if (now() - second >= 1000) {
      second = now();
      messages = 0;
    }
    return (messages += 1) > options.messages;
  };
  for (const name of Object.keys(console)) {
    const original = console[name];
    if (typeof original !== 'function') continue;
    console[name] = { [name](...words) { return quiet() ? undefined : apply(original, this, words); } }[name];
  }
  const hush = (event) => { if (quiet()) apply(preventDefault, event, []); };
  window.addEventListener('error', hush, true);
  window.addEventListener('unhandledrejection', hush, true);

  // A touch or a key in any frame is a click on the app; `isTrusted` cannot be forged. A frame in a process of its
  // own has no binding: it tells the top document, by the binding's name, which no page learns.
  const onTouch = (tell) => {
    const hear = (event) => { if (event.isTrusted) tell(); };
    window.addEventListener('pointerdown', hear, true);
    window.addEventListener('keydown', hear, true);
  };
  if (window !== window.top) {
    const { top } = window;
    onTouch(outlet ? () => outlet('[["touch"]]') : () => top.postMessage(options.binding, '*'));
    return;
  }
  if (!outlet) return;

  // The queue. A calm page's event goes out at once; of a busy one's they travel together.
  const BATCH = 500;
  const BATCH_CHARACTERS = 262144;
  const AT_ONCE = 50;
  const PER_MS = 0.5;
  const PAUSE = 10;
  let waiting = '';
  let count = 0;
  let timer = false;
  let shut = false;

  const meter = (most, perSecond) => {
    let left = most;
    let at = now();
    return (amount) => {
      const time = now();
      left += (time - at) * perSecond / 1000;
      if (left > most) left = most;
      at = time;
      if (left < amount) return false;
      left -= amount;
      return true;
    };
  };
  const events = meter(options.events[0], options.events[1]);
  const characters = meter(options.characters[0], options.characters[1]);
  const calm = meter(AT_ONCE, PER_MS * 1000);

  const flush = () => {
    if (!count) return;
    const batch = '[' + waiting + ']';
    waiting = '';
    count = 0;
    outlet(batch);
  };
  const flushLater = () => {
    if (timer) return;
    timer = true;
    later(() => { timer = false; flush(); }, PAUSE);
  };
  const add = (item) => {
    waiting += (count ? ',' : '') + item;
    count += 1;
    if (count >= BATCH || waiting.length >= BATCH_CHARACTERS || calm(1)) flush();
    else flushLater();
  };
  const close = (limit) => {
    shut = true;
    add('["flood",' + stringify(limit) + ']');
    flush();
  };
  const post = (name, data, origin) => {
    if (shut) return;
    const size = name.length + (data === undefined ? 0 : data.length);
    if (!events(1)) return close('events');
    if (size > options.eventCharacters) return add('["oversize",' + size + ']');
    if (!characters(size)) return close('characters');
    add('["event",' + stringify(name) + ',' + (data === undefined ? 'null' : stringify(data)) + ',' + stringify(origin) + ']');
  };
  window.addEventListener('pagehide', flush);
  const touched = () => add('["touch"]');
  onTouch(touched);
  window.addEventListener('message', (event) => {
    if (event.data !== options.binding) return;
    apply(stopImmediatePropagation, event, []);
    touched();
  }, true);

  if (options.framed) {
    // This document is the web client's: the app is the iframe, and its events are messages of that window.
    window.addEventListener('message', (event) => {
      const frame = document.querySelector('iframe');
      if (!frame || event.source !== frame.contentWindow || typeof event.data !== 'string') return;
      if (event.data.length > 2 * options.eventCharacters) return add('["oversize",' + event.data.length + ']');
      let message;
      try { message = parse(event.data); } catch { return; }
      if (!message || typeof message.eventType !== 'string') return;
      post(message.eventType, stringify(message.eventData), event.origin);
    });
    return;
  }

  const postEvent = (name, data) => {
    post(text(name), data === undefined || data === null ? undefined : text(data), location.origin);
  };
  window.TelegramWebviewProxy = { postEvent };
}
