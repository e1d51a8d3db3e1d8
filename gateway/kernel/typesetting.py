"""Printed pages: a typst template and plain values become PDF/A-3b, the same bytes on every machine."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import typst


def typeset(template: Path, values: Mapping[str, Any], *, at: datetime) -> bytes:
    """The PDF of a template, made with typst's own fonts only, dated `at`.

    The template's one input is `sys.inputs.values`, these values as JSON. What stands in them is data and never markup:
    typst shows a string as it is. It reads no other file, and nothing from the network.
    """
    page = typst.Compiler(font_paths=typst.Fonts(include_system_fonts=False)).compile(
        input=template.read_bytes(),
        format="pdf",
        sys_inputs={"values": json.dumps(values, ensure_ascii=False)},
        pdf_standards="a-3b",
        pdf_tags=False,
        timestamp=at.replace(microsecond=0),
    )
    return cast(bytes, page)
