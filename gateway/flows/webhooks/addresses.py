"""Where the gateway agrees to call: https addresses of the public network, unless settings say otherwise.

A callback address is chosen by a program outside: without this check it could make the gateway call what only the
gateway's own network reaches (server-side request forgery). The name is resolved and judged at each call, and the
connection goes to the very address that was judged.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from gateway.flows.webhooks.errors import CallbackRefusedError
from gateway.kernel.settings import Settings
from gateway.kernel.text import Text

LONGEST_URL = 2000
#: Addresses of IPv4 behind a translator (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".home.arpa")


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """What addresses are allowed beside public https ones: plain http; addresses of private networks."""

    allow_http: bool = False
    allow_private: bool = False


def callback_policy(settings: Settings) -> CallbackPolicy:
    """The policy of an installation."""
    return CallbackPolicy(settings.webhook_allow_http, settings.webhook_allow_private)


def check_callback(url: str, policy: CallbackPolicy) -> None:
    """Judge an address as written, without the network. Raises CallbackRefusedError."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
        raise CallbackRefusedError(Text("elle ne se lit pas", "it cannot be read"))
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise CallbackRefusedError(Text("elle ne se lit pas", "it cannot be read")) from error
    if parts.scheme not in (("https", "http") if policy.allow_http else ("https",)):
        raise CallbackRefusedError(Text("elle doit être en https", "it must be https"))
    if not parts.host or parts.userinfo or parts.fragment:
        raise CallbackRefusedError(
            Text("il y faut un nom d’hôte, sans mot de passe ni fragment", "a host, and no password or fragment")
        )
    if not policy.allow_private and _is_local(parts.host.lower().rstrip(".")):
        raise CallbackRefusedError(Text("elle n’est pas publique", "it is not public"))


def resolve(url: httpx.URL, policy: CallbackPolicy) -> str:
    """An address of the host to connect to, as a URL has it. Raises CallbackRefusedError (not public) and OSError."""
    port = url.port or (443 if url.scheme == "https" else 80)
    found = [str(each[4][0]) for each in socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)]
    if not policy.allow_private and not all(is_public(address) for address in found):
        raise CallbackRefusedError(Text("elle n’est pas publique", "it is not public"))
    return f"[{found[0]}]" if ":" in found[0] else found[0]


def is_public(address: str) -> bool:
    """True for an IP address that anyone on the Internet reaches, whatever it is wrapped in."""
    parsed = ip_address(address.partition("%")[0])
    inner: IPv4Address | IPv6Address = parsed
    if isinstance(parsed, IPv6Address):
        translated = IPv4Address(int(parsed) & 0xFFFFFFFF) if parsed in _TRANSLATED else None
        inner = parsed.ipv4_mapped or parsed.sixtofour or translated or parsed
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def _is_local(host: str) -> bool:
    """A literal address that is not public, or a name that only a local network knows."""
    try:
        return not is_public(host.strip("[]"))
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_NAMES)
