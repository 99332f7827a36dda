"""The libraries by which apps talk to a wallet, from npm: how each is loaded and how it does each thing.

A page of a library has `lib`, an object of the same functions whatever the library: connect, accounts, chain,
sign and typed (both give who has signed), switchTo, addChain, send, call (a contract's method that writes),
balance, block. Each uses the provider
that EIP-6963 finds.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import need
from tests.npm import installed
from tests.pages import Answer

__all__ = ["LIBRARIES", "Library", "files"]

PACKAGES = (
    "ethers5@npm:ethers@5.8.0",
    "ethers6@npm:ethers@6.17.0",
    "viem@2.57.1",
    "web3@4.16.0",
    "esbuild@0.25.10",
)


@dataclass(frozen=True, slots=True)
class Library:
    """`file` is its bundle inside `node_modules`; None for one that has to be bundled.

    `rejected` is how the user's refusal (4001) surfaces: the error's name and code. `beside` are libraries
    that the page loads besides: web3.js cannot tell who signed typed data.
    """

    name: str
    file: str | None
    script: str
    rejected: str
    beside: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        loaded = "".join(f"<script src='/{name}.js'></script>" for name in (self.name, *self.beside))
        return (
            f"<!doctype html><title>{self.name}</title>"
            f"<script>{_START}</script>{loaded}<script>{self.script}</script>"
        )


_START = """
const early = { account: window.ethereum.selectedAddress, chain: window.ethereum.chainId };
const found = [];
window.addEventListener('eip6963:announceProvider', event => found.push(event.detail));
window.dispatchEvent(new Event('eip6963:requestProvider'));
const provider = found[0].provider;

const heard = [];
for (const name of ['connect', 'disconnect', 'accountsChanged', 'chainChanged'])
  provider.on(name, value => heard.push([name, value instanceof Error ? value.code : value]));

// The number of a refusal, which libraries wrap each in their own way; or what came instead of one.
const refusal = promise => promise.then(value => ({ value }), failure => {
  const inside = error => error.cause || error.innerError || error.info?.error || error.error;
  for (let error = failure; error; error = inside(error))
    if (typeof error.code === 'number') return error.code;
  return `${failure.name}: ${failure.message}`;
});
const TO = '0x00000000000000000000000000000000000000aa';
const TYPED = chainId => ({
  domain: { name: 'Ledger', version: '1', chainId, verifyingContract: TO },
  primaryType: 'Order',
  types: {
    Order: [{ name: 'buyer', type: 'Person' }, { name: 'items', type: 'string[]' },
            { name: 'price', type: 'uint256' }, { name: 'note', type: 'bytes' }],
    Person: [{ name: 'name', type: 'string' }, { name: 'wallet', type: 'address' }],
  },
  message: { buyer: { name: 'Zoë', wallet: TO }, items: ['a', 'b'], price: '1000000000000000000000',
             note: '0x0102' },
});
const ABI = [{ type: 'function', name: 'transfer', stateMutability: 'nonpayable',
               inputs: [{ name: 'to', type: 'address' }, { name: 'amount', type: 'uint256' }],
               outputs: [{ name: '', type: 'bool' }] }];
const BASE = { chainId: '0x14a34', chainName: 'Base Sepolia', rpcUrls: ['https://rpc.invalid'],
               nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 } };
"""

_ETHERS5 = """
const web3 = new ethers.providers.Web3Provider(provider, 'any');
const lib = {
  connect: () => web3.send('eth_requestAccounts', []),
  accounts: () => web3.listAccounts(),
  chain: async () => (await web3.getNetwork()).chainId,
  sign: async text => ethers.utils.verifyMessage(text, await web3.getSigner().signMessage(text)),
  typed: async chain => {
    const { domain, types, message } = TYPED(chain);
    const signature = await web3.getSigner()._signTypedData(domain, types, message);
    return ethers.utils.verifyTypedData(domain, types, message, signature);
  },
  switchTo: chainId => web3.send('wallet_switchEthereumChain', [{ chainId }]),
  addChain: () => web3.send('wallet_addEthereumChain', [BASE]),
  send: () => web3.getSigner().sendTransaction({ to: TO, value: 1 }),
  call: () => new ethers.Contract(TO, ABI, web3.getSigner()).transfer(TO, 5),
  balance: async () => String(await web3.getBalance(TO)),
  block: () => web3.getBlockNumber(),
};
"""
_ETHERS6 = """
const web3 = new ethers.BrowserProvider(provider, 'any');
const lib = {
  connect: () => web3.send('eth_requestAccounts', []),
  accounts: async () => (await web3.listAccounts()).map(signer => signer.address),
  chain: async () => {
    await web3.getNetwork(); // after a change it tells the chain before once more
    return Number((await web3.getNetwork()).chainId);
  },
  sign: async text => ethers.verifyMessage(text, await (await web3.getSigner()).signMessage(text)),
  typed: async chain => {
    const { domain, types, message } = TYPED(chain);
    const signature = await (await web3.getSigner()).signTypedData(domain, types, message);
    return ethers.verifyTypedData(domain, types, message, signature);
  },
  switchTo: chainId => web3.send('wallet_switchEthereumChain', [{ chainId }]),
  addChain: () => web3.send('wallet_addEthereumChain', [BASE]),
  send: async () => (await web3.getSigner()).sendTransaction({ to: TO, value: 1 }),
  call: async () => new ethers.Contract(TO, ABI, await web3.getSigner()).transfer(TO, 5),
  balance: async () => String(await web3.getBalance(TO)),
  block: () => web3.getBlockNumber(),
};
"""
_VIEM = """
const transport = viem.custom(provider);
const wallet = viem.createWalletClient({ transport });
const reader = viem.createPublicClient({ transport });
const account = async () => (await wallet.getAddresses())[0];
const lib = {
  connect: () => wallet.requestAddresses(),
  accounts: () => wallet.getAddresses(),
  chain: () => wallet.getChainId(),
  sign: async message => {
    const signature = await wallet.signMessage({ account: await account(), message });
    return viem.recoverMessageAddress({ message, signature });
  },
  typed: async chain => {
    const typed = TYPED(chain);
    const signature = await wallet.signTypedData({ account: await account(), ...typed });
    return viem.recoverTypedDataAddress({ ...typed, signature });
  },
  switchTo: chainId => wallet.switchChain({ id: Number(chainId) }),
  addChain: () => wallet.addChain({ chain: { id: Number(BASE.chainId), name: BASE.chainName,
    nativeCurrency: BASE.nativeCurrency, rpcUrls: { default: { http: BASE.rpcUrls } } } }),
  send: async () => wallet.sendTransaction({ account: await account(), to: TO, value: 1n, chain: null }),
  call: async () => wallet.writeContract({ account: await account(), address: TO, abi: ABI, chain: null,
                                           functionName: 'transfer', args: [TO, 5n] }),
  balance: async () => String(await reader.getBalance({ address: TO })),
  block: async () => Number(await reader.getBlockNumber()),
};
"""
_WEB3 = """
const web3 = new Web3(provider);
const account = async () => (await web3.eth.getAccounts())[0];
const lib = {
  connect: () => web3.eth.requestAccounts(),
  accounts: () => web3.eth.getAccounts(),
  chain: async () => Number(await web3.eth.getChainId()),
  sign: async text => {
    const signature = await web3.eth.personal.sign(text, await account(), '');
    return web3.eth.accounts.recover(text, signature);
  },
  typed: async chain => {
    const plain = TYPED(chain);
    const domain = [['name', 'string'], ['version', 'string'], ['chainId', 'uint256'],
                    ['verifyingContract', 'address']].map(([name, type]) => ({ name, type }));
    const typed = { ...plain, types: { EIP712Domain: domain, ...plain.types } };
    const signature = await web3.eth.signTypedData(await account(), typed);
    return ethers.verifyTypedData(plain.domain, plain.types, plain.message, signature);
  },
  switchTo: chainId => web3.provider.request({ method: 'wallet_switchEthereumChain', params: [{ chainId }] }),
  addChain: () => web3.provider.request({ method: 'wallet_addEthereumChain', params: [BASE] }),
  send: async () => web3.eth.sendTransaction({ from: await account(), to: TO, value: '1' }),
  call: async () => new web3.eth.Contract(ABI, TO).methods.transfer(TO, 5).send({ from: await account() }),
  balance: async () => String(await web3.eth.getBalance(TO)),
  block: async () => Number(await web3.eth.getBlockNumber()),
};
"""

LIBRARIES = (
    Library("ethers5", "ethers5/dist/ethers.umd.min.js", _ETHERS5, "ProviderRpcError 4001"),
    Library("ethers6", "ethers6/dist/ethers.umd.min.js", _ETHERS6, "Error ACTION_REJECTED"),
    Library("viem", None, _VIEM, "UserRejectedRequestError 4001"),
    Library("web3", "web3/dist/web3.min.js", _WEB3, "ProviderRpcError 4001", beside=("ethers6",)),
)


def files(cache: pytest.Cache) -> dict[str, str | Answer]:
    """The page of each library at `/<name>`, and its bundle at `/<name>.js`."""
    modules = installed(cache, *PACKAGES)
    pages: dict[str, str | Answer] = {f"/{library.name}": library.page for library in LIBRARIES}
    for library in LIBRARIES:
        bundle = modules / library.file if library.file else _bundled(modules, library.name)
        pages[f"/{library.name}.js"] = Answer(
            bundle.read_bytes(), headers={"Content-Type": "text/javascript"}
        )
    return pages


def _bundled(modules: Path, package: str) -> Path:
    bundle = modules.parent / f"{package}.bundle.js"
    if not bundle.exists():
        command = [
            "node",
            "node_modules/esbuild/bin/esbuild",
            "--bundle",
            "--format=iife",
            "--log-level=error",
        ]
        try:
            made = subprocess.run(
                [*command, f"--global-name={package}"],
                input=f"export * from '{package}';".encode(),
                cwd=modules.parent,
                check=True,
                capture_output=True,
                timeout=120,
            )
        except (subprocess.SubprocessError, OSError) as error:
            need(package, f"esbuild cannot bundle it ({type(error).__name__})")
        own = bundle.with_name(f"{bundle.name}.{os.getpid()}")  # other processes may be doing the same
        own.write_bytes(made.stdout)
        own.replace(bundle)
    return bundle
