"""From a place in the XML to the business terms of EN 16931 that people know (BT-xx, BG-xx)."""

import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files

from lxml import etree


def local_names(element: etree._Element) -> list[str]:
    """The local names from the root down to `element`."""
    ancestors = [element, *element.iterancestors()]
    return [etree.QName(ancestor).localname for ancestor in reversed(ancestors)]


def location_of(element: etree._Element) -> str:
    """The path of an element with the document's own prefixes, numbered from 1 where siblings share a name."""
    steps = []
    for ancestor in [element, *element.iterancestors()]:
        name = etree.QName(ancestor).localname
        step = f"{ancestor.prefix}:{name}" if ancestor.prefix else name
        before = sum(1 for _ in ancestor.itersiblings(ancestor.tag, preceding=True))
        if before or next(ancestor.itersiblings(ancestor.tag), None) is not None:
            step += f"[{before + 1}]"
        steps.append(step)
    return "/" + "/".join(reversed(steps))


def terms_at(names: Sequence[str]) -> tuple[str, ...]:
    """The business terms at a path of local names that starts with the root, e.g. ("Invoice", "ID") gives ("BT-1",).

    Where the path itself binds no term, those of the nearest group above it; nothing for a document of another kind.
    """
    for length in range(len(names), 1, -1):
        if terms := bound_terms(tuple(names[:length])):
            return terms
    return ()


@lru_cache(maxsize=10_000)
def bound_terms(names: tuple[str, ...]) -> tuple[str, ...]:
    """The business terms at exactly that path of local names; nothing where it binds none."""
    binding = _bindings().get(names[0], {})
    path = "/".join(names[1:])
    return binding.get(path) or binding.get(f"{path}/*") or binding.get("/".join((*names[1:-1], "*")), ())


@cache
def _bindings() -> dict[str, dict[str, tuple[str, ...]]]:
    """For each root element, the terms by path below it."""
    data = tomllib.loads((files("gateway.validation") / "bindings.toml").read_text(encoding="utf-8"))
    return {
        root: {
            "/".join(entry["steps"].get(step, step) for step in path.split("/")): tuple(terms.split(", "))
            for path, terms in data["terms"][entry["binding"]].items()
        }
        for root, entry in data["roots"].items()
    }
