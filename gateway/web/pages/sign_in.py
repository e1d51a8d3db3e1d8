"""Sign in, sign out, choose the language."""

from typing import Annotated

from fastapi import Form, Response
from starlette.responses import RedirectResponse

from gateway.access.errors import InvalidCredentialsError, TooManyAttemptsError
from gateway.access.model import User
from gateway.access.sign_in import sign_in, sign_out
from gateway.kernel.text import Language
from gateway.web.addresses import local_path
from gateway.web.security import FORM_COOKIE, SESSION_COOKIE, SIGN_IN_PATH, Anyone, set_cookie, set_language


def form(visit: Anyone, next: str = "/") -> Response:
    """The sign-in page; whoever is signed in already is led on."""
    if visit.someone is not None:
        return visit.go_to(next)
    return visit.render("sign_in.html", next=local_path(next), email="", problem=None)


def submit(
    visit: Anyone,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session, or say the same thing whatever was wrong."""
    context = visit.context
    address = visit.request.client.host if visit.request.client else "unknown"
    try:
        signed_in = sign_in(
            context.database, context.settings, email=email, password=password, address=address, now=context.clock()
        )
    except (InvalidCredentialsError, TooManyAttemptsError) as problem:
        page = visit.render("sign_in.html", next=local_path(next), email=email, problem=problem)
        page.status_code = problem.status
        if isinstance(problem, TooManyAttemptsError):
            page.headers["Retry-After"] = str(int(problem.retry_after.total_seconds()))
        return page
    response = visit.go_to(next)
    set_cookie(context, response, SESSION_COOKIE, signed_in.token, int(context.settings.session_length.total_seconds()))
    response.delete_cookie(FORM_COOKIE)
    return response


def leave(visit: Anyone) -> Response:
    """End this session."""
    if visit.session_id is not None:
        with visit.transaction() as session:
            sign_out(session, visit.session_id)
    response = RedirectResponse(SIGN_IN_PATH, 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


def choose_language(
    visit: Anyone, language: Annotated[Language, Form()], next: Annotated[str, Form()] = "/"
) -> Response:
    """Show the pages in another language from now on, in this browser and for this person."""
    if visit.someone is not None:
        with visit.transaction() as session:
            session.get_one(User, visit.someone.id).language = language
    response = visit.go_to(next)
    set_language(visit.context, response, language)
    return response
