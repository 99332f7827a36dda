// What a person clicks and types, told with a way to find the element again, and what of it cannot be told so.
// Runs in every document before the page's own scripts; `report` is the name of the function that takes each
// report as JSON. Elements are looked for in open shadow roots, too: Playwright finds them there.
(report) => {
  const tell = window[report];
  delete window[report];
  if (!tell) return;

  const squeeze = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
  const shown = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? true;
  const everywhere = (selector, root = document) => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll('*')].flatMap((one) => one.shadowRoot ? everywhere(selector, one.shadowRoot) : []),
  ];
  const all = (selector) => everywhere(selector).filter(shown);
  const only = (element, found) => found.length === 1 && found[0] === element;
  const short = (text) => text && text.length <= 80;

  const ROLES = {
    BUTTON: 'button', SUMMARY: 'generic', H1: 'heading', H2: 'heading', H3: 'heading', IMG: 'img',
    INPUT: { button: 'button', submit: 'button', reset: 'button', image: 'button', checkbox: 'checkbox', radio: 'radio' },
  };
  const TYPED = 'input:not([type=button],[type=submit],[type=reset],[type=image],[type=checkbox],[type=radio],[type=file]),'
    + 'textarea,[contenteditable=""],[contenteditable=true]';
  const ROLES_NAMED = ['button', 'link', 'checkbox', 'radio', 'tab', 'menuitem', 'option', 'switch', 'heading', 'img'];
  const PRESSED = 'button,a[href],input,select,textarea,summary,label,[role],[data-testid],[onclick]';

  function roleOf(element) {
    const given = element.getAttribute('role');
    if (given) return given;
    if (element.tagName === 'A') return element.hasAttribute('href') ? 'link' : '';
    const known = ROLES[element.tagName];
    return (typeof known === 'object' ? known[element.type] : known) ?? '';
  }

  function nameOf(element) {
    const by = element.getAttribute('aria-labelledby');
    if (by) return squeeze(by.split(/\s+/).map((id) => element.getRootNode().getElementById?.(id)?.textContent ?? '').join(' '));
    const given = squeeze(element.getAttribute('aria-label'));
    if (given) return given;
    if (element.tagName === 'INPUT') {
      const label = squeeze(element.labels?.[0]?.textContent);
      return label || (['button', 'submit', 'reset'].includes(element.type) ? squeeze(element.value) : '');
    }
    if (element.tagName === 'IMG') return squeeze(element.alt);
    if (element.querySelector('[aria-label],[aria-hidden=true],img[alt],svg title,style,script')) return '';
    return squeeze(element.innerText) || squeeze(element.title);
  }

  const byRole = (element) => {
    const role = roleOf(element), name = nameOf(element);
    if (!ROLES_NAMED.includes(role) || !short(name)) return null;
    const same = all('*').filter((other) => roleOf(other) === role && nameOf(other) === name);
    return only(element, same) && { kind: 'role', role, value: name };
  };
  const byLabel = (element) => {
    const label = squeeze(element.labels?.[0]?.innerText) || squeeze(element.getAttribute('aria-label'));
    if (!short(label)) return null;
    const named = everywhere('input,textarea,select,[aria-label]').filter((other) =>
      squeeze(other.getAttribute('aria-label')) === label
      || [...other.labels ?? []].some((one) => squeeze(one.innerText) === label));
    return only(element, named) && { kind: 'label', value: label };
  };
  const byPlaceholder = (element) => {
    const value = squeeze(element.getAttribute('placeholder'));
    const same = everywhere('[placeholder]').filter((other) =>
      squeeze(other.getAttribute('placeholder')) === value);
    return short(value) && only(element, same) && { kind: 'placeholder', value };
  };
  const byText = (element) => {
    const value = squeeze(element.innerText);
    if (!short(value) || element.isContentEditable || element.matches('input,textarea,select')) return null;
    const same = everywhere('*').filter((other) =>
      !other.matches('script,style,head *') && squeeze(other.textContent) === value
      && ![...other.children].some((child) => squeeze(child.textContent) === value));
    return squeeze(element.textContent) === value && only(element, same) && { kind: 'text', value };
  };
  const byTestId = (element) => {
    const value = element.getAttribute('data-testid');
    const same = everywhere('[data-testid]').filter((other) =>
      other.getAttribute('data-testid') === value);
    return value && only(element, same) && { kind: 'test_id', value };
  };
  const byId = (element) => {
    const made = !element.id || /\d{3}|[:.]|^[a-z]?\d/i.test(element.id);
    const value = `#${CSS.escape(element.id)}`;
    return !made && only(element, everywhere(value)) && { kind: 'css', value };
  };
  const byPath = (element) => {
    const path = [];
    const above = (one) => one.parentElement ?? one.getRootNode().host;
    for (let at = element; above(at); at = above(at)) {
      const place = [...at.parentNode.children].filter((child) => child.tagName === at.tagName).indexOf(at) + 1;
      path.unshift(`${at.tagName.toLowerCase()}:nth-of-type(${place})`);
    }
    return { kind: 'css', value: path.join(' > ') || 'html' };
  };

  const find = (element) => [byRole, byLabel, byPlaceholder, byText, byTestId, byId]
    .reduce((found, by) => found || by(element), null) || byPath(element);
  const secrets = new WeakSet(); // what was one stays one, though a button may show its text
  const isSecret = (field) => {
    if (field.type === 'password' || /password|one-time-code|^cc-/.test(field.getAttribute('autocomplete') ?? '')) {
      secrets.add(field);
    }
    return secrets.has(field);
  };
  const say = (what, element, more) => tell(JSON.stringify({ what, by: find(element), ...more }));

  const lose = (what, text = '') => tell(JSON.stringify({ what: 'lost', lost: what, text }));

  let entered = false;
  const hear = (name, listener) => document.addEventListener(name, (event) => {
    const target = event.composedPath()[0];
    if (event.isTrusted && target instanceof Element) listener(event, target);
  }, true);

  hear('click', (event, target) => {
    if (entered && event.detail === 0) return; // the form's own button, which the enter key has pressed
    const element = target.closest(PRESSED) ?? target;
    if (element.matches(`${TYPED},select`) || element.closest('select')) return; // what is typed or chosen is told
    if (element.tagName === 'LABEL' && element.control) return; // its field is clicked next
    if (element.type === 'file') return lose('file');
    say('click', element, element.matches('canvas') ? { at: [event.offsetX, event.offsetY].map(Math.round) } : {});
  });
  hear('dblclick', () => lose('double'));
  hear('contextmenu', () => lose('menu'));
  hear('drop', () => lose('drag'));
  hear('focusin', (_, target) => { isSecret(target); });
  hear('input', (_, target) => {
    if (target.tagName === 'SELECT') {
      say('choose', target, { values: [...target.selectedOptions].map((option) => option.value) });
    } else if (target.matches(TYPED)) {
      say('fill', target, isSecret(target) ? { secret: true } : { text: target.value ?? target.innerText });
    }
  });
  const LINE = 'input:not([type]),[type=text],[type=search],[type=email],[type=tel],[type=url]';
  const TOLD = ['Enter', ' ', 'Tab', 'Shift', 'Control', 'Alt', 'AltGraph', 'Meta', 'CapsLock']; // or of no effect
  hear('keydown', (event, target) => {
    const field = target.matches('input,select,textarea') || target.isContentEditable;
    const suggested = ['ArrowUp', 'ArrowDown'].includes(event.key) && target.matches(LINE);
    if (!event.isComposing && (field ? event.key === 'Escape' || suggested : !TOLD.includes(event.key))) {
      lose('key', event.key);
    }
  });
  hear('keydown', (event, target) => {
    if (event.key !== 'Enter' || event.isComposing || !target.matches('input') || !target.matches(TYPED)) return;
    entered = true;
    setTimeout(() => { entered = false; });
    say('enter', target);
  });
}
