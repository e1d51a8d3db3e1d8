"""Saxon as the oracle, in a process of its own: SaxonC is not safe beside threads and may take its process down.

Run as a script this file is that process: one JSON request a line in, one JSON answer a line out.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
SPACE = " \t\r\n"


class Saxon:
    """A running Saxon process; stylesheets are compiled once each. Use as a context manager."""

    def __init__(self) -> None:
        process = self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._requests, self._answers = process.stdin, process.stdout

    def __enter__(self) -> "Saxon":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._requests.close()
        self._process.wait()
        self._answers.close()

    def _ask(self, request: dict[str, str]) -> Any:
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        return json.loads(self._answers.readline())

    def findings(self, stylesheet: Path, document: bytes) -> list[list[str | None]] | str:
        """(context, kind, rule, test, location, flag, role, message) in SVRL order, or why Saxon stopped."""
        answer: list[list[str | None]] | str = self._ask(
            {"stylesheet": str(stylesheet), "document": document.decode("utf-8")}
        )
        return answer

    def evaluate(self, expression: str, document: str = "<x/>") -> list[str] | str:
        """String values of the items of an XPath expression, or the reason why it has no value."""
        answer = self._ask({"expression": expression, "document": document})
        return answer["items"] if isinstance(answer, dict) else str(answer)


def _serve() -> None:
    from lxml import etree
    from saxonche import PySaxonApiError, PySaxonProcessor

    with PySaxonProcessor(license=False) as processor:
        xslt = processor.new_xslt30_processor()
        compiled: dict[str, Any] = {}

        def transform(request: dict[str, str]) -> object:
            path = request["stylesheet"]
            if path not in compiled:
                compiled[path] = xslt.compile_stylesheet(stylesheet_file=path)
            node = processor.parse_xml(xml_text=request["document"])
            svrl = etree.fromstring(compiled[path].transform_to_string(xdm_node=node).encode())
            findings: list[list[str | None]] = []
            context: str | None = None
            for element in svrl.iter(f"{SVRL}fired-rule", f"{SVRL}failed-assert", f"{SVRL}successful-report"):
                if element.tag == f"{SVRL}fired-rule":
                    context = element.get("context")
                else:
                    findings.append([context, *_finding(element)])
            return findings

        def evaluate(request: dict[str, str]) -> object:
            xpath = processor.new_xpath_processor()
            xpath.declare_namespace("xs", "http://www.w3.org/2001/XMLSchema")
            xpath.set_context(xdm_item=processor.parse_xml(xml_text=request["document"]))
            value = xpath.evaluate(request["expression"])
            items = [] if value is None else [value.item_at(index).string_value for index in range(value.size)]
            return {"items": items}

        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = transform(request) if "stylesheet" in request else evaluate(request)
            except PySaxonApiError as error:
                answer = str(error)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


def _finding(element: Any) -> list[str | None]:
    message = "".join(element.find(f"{SVRL}text").itertext()).strip(SPACE)
    kind = "assert" if element.tag == f"{SVRL}failed-assert" else "report"
    names = ("id", "test", "location", "flag", "role")
    rule, test, location, flag, role = (element.get(name) for name in names)
    return [kind, rule or "", test, location, flag, role, message]


if __name__ == "__main__":
    _serve()
