"""What stands before every page: who comes, may they, is the form ours, and the headers browsers protect people by."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DataError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.access.errors import PermissionDeniedError
from gateway.access.model import User
from gateway.access.passwords import new_secret
from gateway.access.principal import Principal
from gateway.access.roles import Permission
from gateway.access.sign_in import principal_of, resume_session
from gateway.kernel.clock import paris_date
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Language
from gateway.web import repository
from gateway.web.addresses import came_from, local_path
from gateway.web.context import WebContext
from gateway.web.errors import ForeignFormError, FormTooLargeError, PageNotFoundError
from gateway.web.i18n import texts
from gateway.web.rendering import render
from gateway.web.uploads import longest_form

SESSION_COOKIE = "gateway_session"
FORM_COOKIE = "gateway_form"
LANGUAGE_COOKIE = "gateway_language"
CSRF_FIELD = "csrf"
SIGN_IN_PATH = "/sign-in"
_LONGEST_FORM = 2**16
_A_YEAR = 365 * 24 * 3600
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_log = structlog.get_logger(__name__)

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class SignInRequiredError(Exception):
    """The page is for signed-in people: the visitor is led to the sign-in page and back."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page: who comes, in which language, and how to answer.

    Attributes:
        someone: the signed-in person, None for a stranger.
        session_id: the browser session, None for a stranger and in the demo.
        csrf_token: what the forms of this visitor must carry.
        is_demo: the demo has signed this person in by itself.
    """

    context: WebContext
    request: Request
    someone: Principal | None
    session_id: UUID | None
    csrf_token: str
    language: Language
    is_demo: bool = False

    @property
    def principal(self) -> Principal:
        """The signed-in person. Raises SignInRequiredError for a stranger."""
        if self.someone is None:
            raise SignInRequiredError
        return self.someone

    def transaction(self) -> AbstractContextManager[Session]:
        """A transaction that sees the person's organisation and no other."""
        return self.context.database.transaction(self.principal.organisation_id)

    def render(self, template: str, **values: object) -> HTMLResponse:
        """Answer with a page; what every page shows besides (who, where, what waits) is added here."""
        return HTMLResponse(self._html(template, self._waiting(), values))

    def render_error(self, status: int, error: GatewayError | None) -> HTMLResponse:
        """Answer with an error page; that of a failure asks nothing of the database, which may be what failed."""
        waiting = self._waiting() if status < 500 else None
        request = self.request
        form = came_from(request.headers.get("referer", ""), request.url.netloc) if request.method == "POST" else None
        return HTMLResponse(self._html("error.html", waiting, {"status": status, "error": error, "form": form}), status)

    def go_to(self, path: str, notice: str = "") -> RedirectResponse:
        """Answer a form by leading to a page of ours, which says what was done (`notices.<notice>`)."""
        target = local_path(path)
        if notice:
            target += ("&" if "?" in target else "?") + f"done={notice}"
        return RedirectResponse(target, 303)

    def _html(self, template: str, waiting: repository.Waiting | None, values: dict[str, object]) -> str:
        now = self.context.clock()
        return render(
            template,
            self.language,
            someone=self.someone,
            may={each.name: self.someone is not None and self.someone.may(each) for each in Permission},
            is_demo=self.is_demo,
            csrf_token=self.csrf_token,
            path=self.request.url.path,
            here=_local(self.request),
            notice=self._notice(),
            waiting=waiting,
            now=now,
            today=paris_date(now),
            **values,
        )

    def _notice(self) -> str | None:
        text = texts().get(f"notices.{self.request.query_params.get('done', '')}")
        return text.in_language(self.language) if text else None

    def _waiting(self) -> repository.Waiting | None:
        if self.someone is None:
            return None
        with self.transaction() as session:
            return repository.waiting(session, self.someone)


def page_route(context: WebContext) -> type[APIRoute]:
    """The kind of route every page is: it knows the visitor, checks forms, and turns every failure into a page."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                visit = _stranger(context, request)
                try:
                    visit = await run_in_threadpool(_identify, visit)
                    request.state.visit = visit
                    await _check_form(request, visit, longest_form(self.endpoint, _LONGEST_FORM))
                    response = await handle(request)
                except SignInRequiredError:
                    response = RedirectResponse(f"{SIGN_IN_PATH}?next={quote(_local(request), safe='')}", 303)
                except Exception as error:
                    response = await run_in_threadpool(_error_page, visit, error)
                return _protected(response, visit)

            return guarded

    return PageRoute


async def error_page(context: WebContext, request: Request, error: Exception) -> Response:
    """The page that tells an error, for the assembly: an address that no route knows, a failure outside the pages."""
    visit = await run_in_threadpool(_identify, _stranger(context, request))
    return _protected(await run_in_threadpool(_error_page, visit, error), visit)


def signed_in_person(context: WebContext, request: Request) -> Principal | None:
    """The person behind the session of a request, for API routes that people use too; None for a stranger."""
    return _identify(_stranger(context, request)).someone


def visit_of(request: Request) -> Visit:
    """Dependency of pages that strangers may see."""
    visit: Visit = request.state.visit
    return visit


def _allowed(permission: Permission) -> Callable[[Request], Visit]:
    def check(request: Request) -> Visit:
        visit = visit_of(request)
        if not visit.principal.may(permission):
            raise PermissionDeniedError
        return visit

    return check


Anyone = Annotated[Visit, Depends(visit_of)]
Reader = Annotated[Visit, Depends(_allowed(Permission.READ))]
AlertHandler = Annotated[Visit, Depends(_allowed(Permission.HANDLE_ALERTS))]
ActionWorker = Annotated[Visit, Depends(_allowed(Permission.WORK_ACTIONS))]
CollectionManager = Annotated[Visit, Depends(_allowed(Permission.MANAGE_COLLECTION))]
TreasuryReader = Annotated[Visit, Depends(_allowed(Permission.READ_TREASURY))]
FlowReplayer = Annotated[Visit, Depends(_allowed(Permission.REPLAY_FLOWS))]


def set_cookie(context: WebContext, response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """A cookie that scripts do not read, that other sites do not send, and that stays in HTTPS."""
    same_site: Literal["lax"] = "lax"
    secure = context.settings.secure_cookies
    response.set_cookie(name, value, max_age=max_age, secure=secure, httponly=True, samesite=same_site, path="/")


def set_language(context: WebContext, response: Response, language: Language) -> None:
    """Remember the language this browser wants."""
    set_cookie(context, response, LANGUAGE_COOKIE, language, _A_YEAR)


def _stranger(context: WebContext, request: Request) -> Visit:
    form_token = request.cookies.get(FORM_COOKIE) or new_secret()
    language = _chosen_language(request) or context.settings.language
    return Visit(context, request, None, None, form_token, language)


def _identify(stranger: Visit) -> Visit:
    """The same visit with the person behind the session cookie, or the demo's person, or still a stranger."""
    context, token = stranger.context, stranger.request.cookies.get(SESSION_COOKIE)
    if token is None and context.demo_user_id is None:
        return stranger
    with context.database.system_transaction() as session:
        found = resume_session(session, token, context.clock()) if token else None
        if found is not None:
            visit = replace(stranger, session_id=found.session_id, csrf_token=found.csrf_token)
            return _as_person(visit, found.principal)
        if context.demo_user_id is None:
            return stranger
        user = session.get_one(User, context.demo_user_id)
        return _as_person(replace(stranger, is_demo=True), principal_of(session, user))


def _as_person(visit: Visit, person: Principal) -> Visit:
    return replace(visit, someone=person, language=_chosen_language(visit.request) or person.language)


def _chosen_language(request: Request) -> Language | None:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return "fr" if chosen == "fr" else "en" if chosen == "en" else None


async def _check_form(request: Request, visit: Visit, longest: int) -> None:
    """Refuse what changes something unless it comes from a form of ours. Raises ForeignFormError.

    `longest`: bytes that the form may have; a stranger's is small in any case.
    """
    if request.method in _SAFE_METHODS:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForeignFormError
    length = request.headers.get("content-length", "")
    if visit.someone is None:
        longest = _LONGEST_FORM
    if not length.isdecimal() or int(length) > longest:
        raise FormTooLargeError(longest) if longest > _LONGEST_FORM else ForeignFormError
    form = await request.form()
    given = form.get(CSRF_FIELD)
    if not isinstance(given, str) or not compare_digest(given.encode(), visit.csrf_token.encode()):
        await form.close()
        raise ForeignFormError


def _error_page(visit: Visit, error: Exception) -> Response:
    no_sense = isinstance(error, RequestValidationError | DataError)  # such as a NUL, which no text of ours may hold
    if no_sense or (isinstance(error, HTTPException) and error.status_code == 404):
        error = PageNotFoundError()
    status = error.status if isinstance(error, GatewayError) else getattr(error, "status_code", 500)
    if status >= 500:
        _log.error("page_failed", path=visit.request.url.path, exc_info=error)
    shown = error if isinstance(error, GatewayError) and status < 500 else None
    return visit.render_error(status, shown)


def _protected(response: Response, visit: Visit) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if visit.session_id is None and visit.request.cookies.get(FORM_COOKIE) != visit.csrf_token:
        set_cookie(visit.context, response, FORM_COOKIE, visit.csrf_token)
    return response


def _local(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
