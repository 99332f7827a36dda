// A Mini App that does what Metapro's own does, without any library: it logs in to Metapro with Telegram's init data,
// shows the Metapro ID, connects a wallet, lists assets and the leaderboard, and says on screen what went wrong.
//
// The session lives in this page's memory only. `data-settled` on <html> says that everything asked at the beginning
// has been answered; `data-state` is `starting`, `gated`, `anonymous`, `in` or `out`.
'use strict';

const TELEGRAM_ON_A_PHONE = ['ios', 'android', 'android_x'];
const PATIENCE = 10_000;

const element = (id) => document.getElementById(id);
const items = (id, texts) => element(id).replaceChildren(...texts.map((textContent) =>
  Object.assign(document.createElement('li'), { textContent })));
const json = (text) => { try { return JSON.parse(text); } catch { return undefined; } };

const launch = new URLSearchParams(location.hash.slice(1));
const rawInitData = launch.get('tgWebAppData') || '';
const initData = new URLSearchParams(rawInitData);
const person = json(initData.get('user'));

const native = window.TelegramWebviewProxy;
function post(name, data) {
  if (native) native.postEvent(name, data === undefined ? undefined : JSON.stringify(data));
  else if (parent !== window) parent.postMessage(JSON.stringify({ eventType: name, eventData: data }), '*');
}

// Problems: one line for each thing that can go wrong, gone when it works again.

const problems = new Map();

function tell(what, problem) {
  if (problem) problems.set(what, `${what}: ${problem}`);
  else problems.delete(what);
  items('error', [...problems.values()]);
  element('problems').hidden = problems.size === 0;
}

async function attempt(what, action) {
  try {
    const result = await action();
    tell(what);
    return result;
  } catch (problem) {
    tell(what, problem.message || String(problem));
    return undefined;
  }
}

// Metapro

let config;
let session = null;

class Refused extends Error {
  constructor(status, message) { super(`${message} (${status})`); this.status = status; }
}

async function ask(service, path, { method = 'GET', headers = {}, body } = {}) {
  const json_ = body === undefined ? {} : { 'content-type': 'application/json' };
  let response;
  try {
    response = await fetch(config.services[service] + path, {
      method, headers: { ...json_, ...headers }, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (failure) {
    throw new Error(failure.name === 'TimeoutError' ? 'no answer in time' : 'cannot be reached');
  }
  const text = await response.text();
  const answer = json(text);
  if (!response.ok) throw new Refused(response.status, messageOf(answer));
  if (answer === undefined) throw new Error('the answer cannot be read');
  return answer;
}

function messageOf(answer) {
  const [first] = [answer?.message ?? answer?.messages].flat();
  return typeof first === 'string' ? first : 'refused without a reason';
}

async function askAsMe(service, path, options = {}, again = true) {
  if (!session) throw new Error('not signed in');
  const { token, userId } = session;
  const headers = { ...options.headers, authorization: token, 'x-account-userid': userId };
  try {
    return await ask(service, path, { ...options, headers });
  } catch (problem) {
    if (problem.status !== 401 || !again) throw problem;
    if (session?.token === token) await logIn();
    return askAsMe(service, path, options, false);
  }
}

async function logIn() {
  session = null;
  const { id, first_name, last_name, username } = person;
  const referralCode = initData.get('start_param') || undefined;
  try {
    const { account, token } = await ask('users', '/v2/auth/telegram/login/simple', {
      method: 'POST',
      body: {
        telegramSimpleData: { id, first_name, last_name, username },
        telegramSimpleString: rawInitData,
        projectId: config.ids.project_id,
        platformId: config.ids.platform_id,
        telegramBotName: config.ids.bot_name,
        referralCode,
      },
    });
    if (!token?.accessToken || !account?.userId) throw new Error('the answer names no account');
    session = { token: token.accessToken, userId: account.userId };
    know(account);
  } finally {
    document.documentElement.dataset.state = session ? 'in' : 'out';
    if (!session) know(null);
  }
}

async function signIn() {
  if (person) await attempt('login', logIn);
  else tell('login', 'opened this way, an app is not told by whom');
}

function know(account) {
  const details = account?.personalDetails ?? {};
  const name = [details.firstName, details.lastName].filter(Boolean).join(' ') || details.username || 'Somebody';
  element('name').textContent = account ? name : 'Not signed in';
  element('avatar').textContent = account ? [...name][0] : '?';
  element('metapro-id').textContent = account?.userId ?? '';
  const wallets = (account?.addresses ?? []).map(({ wallet }) => wallet);
  element('attached').textContent = wallets.length ? `attached: ${wallets.join(', ')}` : '';
}

const me = () => attempt('session', async () => know(await askAsMe('users', '/me')));

async function showLeaderboard() {
  await attempt('leaderboard', async () => {
    const board = config.ids.leaderboard_id;
    const key = config.ids.leaderboard_key;
    const headers = key ? { leaderboardApiKey: key } : {};
    const [rows, count] = await Promise.all([
      ask('leaderboard', `/score-total/leaderboard/${board}?limit=5`, { headers }),
      ask('leaderboard', `/score-total/count/leaderboard/${board}`, { headers }),
    ]);
    const ids = new URLSearchParams(rows.map(({ userId }) => ['userIds', userId]));
    const { results } = await ask('users', `/profiles?${ids}`);
    const names = new Map(results.map(({ userId, personalDetails }) => [userId, personalDetails?.username]));
    items('leaderboard', rows.map(({ userId, totalRoundData }) => `${names.get(userId) ?? userId} ${totalRoundData.score}`));
    element('place').textContent = `${count} players`;
  });
}

// The wallet: `window.ethereum`, or one that announces itself (EIP-6963).

const NO_WALLET = 'there is no wallet in this browser, and WalletConnect takes a library '
  + 'that this sample leaves out (@walletconnect/universal-provider)';

let provider = null;
let wallet = null;

function meet(found) {
  if (provider || !found) return;
  provider = found;
  provider.on?.('accountsChanged', ([account]) => use(account));
  provider.on?.('chainChanged', showChain);
  provider.on?.('disconnect', () => { use(null); tell('wallet', 'disconnected'); });
}

function findWallet() {
  meet(window.ethereum);
  window.addEventListener('eip6963:announceProvider', ({ detail }) => meet(detail.provider));
  window.dispatchEvent(new Event('eip6963:requestProvider'));
}

const showChain = (chain) => { element('chain').textContent = chain ? `chain ${parseInt(chain, 16)}` : ''; };

async function use(account) {
  wallet = account?.toLowerCase() ?? null;
  element('wallet').textContent = wallet ?? 'none';
  element('attach').disabled = !wallet;
  if (!wallet) { showChain(''); items('assets', []); return; }
  await Promise.all([
    attempt('wallet', async () => showChain(await provider.request({ method: 'eth_chainId' }))),
    attempt('assets', async () => {
      const { results } = await ask('nft', `/v1/user/${wallet}/tokens?_items=true&limit=20`);
      items('assets', results.map(({ token, owners }) => `${token.tokenName} × ${owners?.[0]?._quantity ?? 1}`));
    }),
  ]);
}

async function connect() {
  await attempt('wallet', async () => {
    meet(window.ethereum);
    if (!provider) throw new Error(NO_WALLET);
    await use((await provider.request({ method: 'eth_requestAccounts' }))[0]);
  });
}

async function attach() {
  await attempt('attaching', async () => {
    const address = wallet;
    const { hash } = await ask('users', '/v2/auth/web3/signature/hash', { headers: { 'x-account-wallet': address } });
    const text = ['Please sign to let us verify', 'that you are the owner of this address', address, '', `Request ID ${hash}`];
    const signature = await provider.request({ method: 'personal_sign', params: [text.join('\n'), address] });
    know(await askAsMe('users', '/v2/auth/web3/new-address', {
      method: 'POST',
      headers: { 'x-account-wallet': address, 'x-account-login-hash': hash },
      body: { wallet: address, signature, merge: true },
    }));
  });
}

async function meetConnectedWallet() {
  findWallet();
  if (!provider) return;
  const accounts = await attempt('wallet', () => provider.request({ method: 'eth_accounts' }));
  await use(accounts?.[0]);
}

// The beginning

const busy = (id, action) => element(id).addEventListener('click', async () => {
  delete document.documentElement.dataset.settled;
  await action();
  document.documentElement.dataset.settled = '';
});

async function configured() {
  const response = await fetch('metapro/config.json');
  if (!response.ok) throw new Error(await response.text());
  config = await response.json();
  element('model').textContent = config.assumption_model;
}

async function begin() {
  await attempt('configuration', configured);
  if (!config) return;
  await Promise.all([signIn(), showLeaderboard(), meetConnectedWallet()]);
  setInterval(() => session && me(), config.me_every * 1000);
}

async function start() {
  const platform = launch.get('tgWebAppPlatform') ?? 'none';
  const state = TELEGRAM_ON_A_PHONE.includes(platform) ? 'starting' : 'gated';
  document.documentElement.dataset.state = state;
  if (!native && parent !== window) post('iframe_ready', { reload_supported: false });
  post('web_app_expand');
  post('web_app_setup_swipe_behavior', { allow_vertical_swipe: false });
  post('web_app_ready');
  element('platform').textContent = platform;
  element(state === 'gated' ? 'gate' : 'app').hidden = false;
  if (state === 'starting') {
    if (!person) document.documentElement.dataset.state = 'anonymous';
    await begin();
  }
  document.documentElement.dataset.settled = '';
}

busy('connect', connect);
busy('attach', attach);
busy('refresh', async () => { await Promise.all([session ? me() : signIn(), showLeaderboard()]); });
start();
