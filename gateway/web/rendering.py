"""Templates to HTML, in the visitor's language."""

import hashlib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import get_args

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.alerts.conditions import Team, team_label
from gateway.invoices import codes
from gateway.invoices.rendering import stylesheet
from gateway.kernel.text import Language, Text, french_spaces
from gateway.lifecycle.statuses import status
from gateway.validation.catalog import installed_catalog
from gateway.web.addresses import local_path, subject_path
from gateway.web.badges import tone
from gateway.web.i18n import Words

STATIC_FOLDER = Path(__file__).parent / "static"


def render(template: str, language: Language, **values: object) -> str:
    """A page. Every value is escaped; a name that the template uses and nobody gave is an error."""
    return environment(language).get_template(template).render(**values)


@cache
def environment(language: Language) -> Environment:
    """The templates as one language sees them."""
    made = Environment(
        loader=PackageLoader("gateway.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = Words(language)
    made.globals.update(
        language=language,
        t=words.t,
        tn=words.tn,
        said=words.said,
        deadline=words.deadline,
        age=words.age,
        static=static,
        local_path=local_path,
        subject_path=subject_path,
        tone=tone,
        status_of=status,
        invoice_type=_invoice_type,
        layer_title=_layer_title,
        share=_share,
        team=lambda name: words.say(team_label(name)),
        teams=get_args(Team),
    )
    made.filters.update(shown=words.shown, of_law=french_spaces)  # the law is quoted in French in both languages
    made.filters.update(say=words.say, money=words.money, number=words.number, day=words.short_day, moment=words.moment)
    return made


@cache
def static(name: str) -> str:
    """Address of a static file, with a mark of its content so that browsers may keep it for long."""
    return f"/static/{name}?v={_mark((STATIC_FOLDER / name).read_bytes())}"


@cache
def invoice_stylesheet() -> str:
    """Address of the readable invoice's own style sheet."""
    return f"/invoice.css?v={_mark(stylesheet().encode())}"


def _share(part: Decimal | int, whole: Decimal | int) -> str:
    """Width of a bar, in hundredths of the longest one; nothing is drawn for what is negative."""
    return f"{max(Decimal(0), 100 * Decimal(part) / whole):.1f}" if whole > 0 else "0"


def _invoice_type(code: str) -> Text:
    """What an invoice is (BT-3); the code itself when it is unpublished."""
    return codes.label("types", code) or Text(code, code)


def _layer_title(name: str) -> Text:
    return installed_catalog().layer(name).title


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
