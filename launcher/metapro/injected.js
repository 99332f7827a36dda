// The wallet as an app meets it: `window.ethereum` (EIP-1193) and its announcement (EIP-6963). Runs in every
// document before any script of it, so the provider is there again after a reload.
//
// `options` = {binding, hook, info, accounts, chainId, refCode, webClients, characters, open}. The binding leads to
// Python and is taken out of the window at once. `hook` is how Python tells of changes; a page that finds it can
// deceive nobody but itself.
(options) => {
  const outlet = window[options.binding];
  delete window[options.binding];
  if (!outlet) return;

  const { parse, stringify } = JSON;
  const later = window.setTimeout.bind(window);

  // Only the app's own documents are told the account. Python decides by itself whom it answers.
  const around = [...(location.ancestorOrigins || [])];
  const own = around.every((origin, position) =>
    origin === window.origin || (position === around.length - 1 && options.webClients.includes(origin)));
  const state = { accounts: own ? options.accounts : [], chainId: options.chainId, connected: true };

  class ProviderRpcError extends Error {
    constructor({ code, message, data }) {
      super(message);
      this.name = 'ProviderRpcError';
      this.code = code;
      if (data !== undefined) this.data = data;
    }
  }
  const refuse = (code, message) => { throw new ProviderRpcError({ code, message }); };

  let open = 0;
  const ask = async (text) => {
    if (text.length > options.characters) refuse(-32005, 'The request is too long.');
    if (open >= options.open) refuse(-32005, 'Too many requests are open.');
    open += 1;
    try {
      return parse(await outlet(text));
    } finally {
      open -= 1;
    }
  };
  const asText = (method, params) => {
    try {
      return stringify([method, params]);
    } catch {
      return refuse(-32602, 'The parameters are no JSON.');
    }
  };

  const listeners = new Map();
  const heard = (name) => listeners.get(name) || [];
  const emit = (name, payload) => {
    for (const { listener, once } of heard(name)) {
      if (once) provider.removeListener(name, listener);
      try {
        listener(payload);
      } catch (failure) {
        later(() => { throw failure; }); // the app's own, and no reason to keep others from hearing
      }
    }
  };
  const add = (name, listener, once) => {
    listeners.set(name, [...heard(name), { listener, once }]);
    return provider;
  };

  // Web3.js takes a provider for one of EIP-1193 by its `request` being an async function.
  const provider = {
    async request(asked) {
      if (!asked || typeof asked.method !== 'string') refuse(-32602, 'A request has to have a method.');
      const { method, params = [] } = asked;
      if (!Array.isArray(params)) refuse(-32602, 'The parameters have to be an array.');
      const { error, result } = await ask(asText(method, params));
      if (error) throw new ProviderRpcError(error);
      return result;
    },
    on: (name, listener) => add(name, listener, false),
    once: (name, listener) => add(name, listener, true),
    removeListener(name, listener) {
      const kept = heard(name);
      const last = kept.findLastIndex((one) => one.listener === listener);
      listeners.set(name, kept.filter((_, position) => position !== last));
      return provider;
    },
    isConnected: () => state.connected,
    get chainId() { return state.chainId; },
    get networkVersion() { return String(Number(state.chainId)); },
    get selectedAddress() { return state.accounts[0] || null; },
  };
  window.ethereum = provider;
  if (options.refCode !== null) window.metapro = { queryParams: { refCode: options.refCode } };

  const changes = {
    accountsChanged(accounts) { state.accounts = accounts; },
    chainChanged(chainId) { state.chainId = chainId; },
    connect() { state.connected = true; },
    disconnect() { state.connected = false; },
  };
  const tell = (name, payload) => {
    changes[name](payload);
    emit(name, name === 'disconnect' ? new ProviderRpcError(payload) : payload);
  };
  const resume = (now) => { if (own) Object.assign(state, now); };
  Object.defineProperty(window, options.hook, { value: { tell, resume } });

  const detail = Object.freeze({ info: Object.freeze(options.info), provider });
  const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }));
  window.addEventListener('eip6963:requestProvider', announce);
  announce();
}
