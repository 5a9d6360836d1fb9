"""Who may ask: nobody from another site, and beyond this machine only who has the token. What a page may do: nothing
that did not come from here."""

import hmac
import ipaddress
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from study.web.events import now

COOKIE = "study_token_{port}"
"""Browsers keep one for all ports of a host, and a host may serve several stores."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """Passes on requests that are for this server, from its own pages, to read, and with the token where it has one."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", token: str | None = None) -> None:
        """`host` is what the server listens on; `token` is None where it is loopback."""
        self.app, self.token = app, token
        self.names = {"localhost"} if is_loopback(host) else {"localhost", host, socket.gethostname(), socket.getfqdn()}
        self.only_loopback = is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        scope.setdefault("state", {})["begun"] = now(scope["app"].state.kept)
        refused = self._refusal(scope)
        await (refused or self.app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("This server only reads.", 405, {"allow": "GET, HEAD"})
        if not self._is_ours(host):
            return PlainTextResponse(f"This server has no page for the host {host!r}.", 421)
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return PlainTextResponse("A page of another site asked.", 403)
        from_elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if from_elsewhere and headers.get("sec-fetch-dest") not in (None, "document"):
            return PlainTextResponse("A page of another site asked.", 403)
        return self._without_token(scope, headers) if self.token else None

    def _is_ours(self, host: str) -> bool:
        """A name that another site could point at this machine is none of ours; an address cannot be pointed."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:  # half an address
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in {known.lower() for known in self.names}
        return address.is_loopback or not self.only_loopback

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        """A token in the address becomes a cookie, so that no address that is sent on has it."""
        assert self.token is not None
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(asked).get("token")
        if given is not None and _same(given, self.token):
            rest = urlencode([(name, value) for name, value in asked if name != "token"])
            path = "/" + scope["path"].lstrip("/")  # two strokes would begin the name of another host
            answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(_cookie(scope), self.token, httponly=True, samesite="lax")
            return answer
        try:
            kept = SimpleCookie(headers.get("cookie", "")).get(_cookie(scope))
        except CookieError:
            kept = None
        if kept is not None and _same(kept.value, self.token):
            return None
        return PlainTextResponse("This page needs the token of its address: open the one that the server printed.", 401)


def _cookie(scope: Scope) -> str:
    return COOKIE.format(port=(scope.get("server") or ("", 0))[1])


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())
