"""Runs compiled Schematron files with Saxon, as a program of its own: SaxonC aborts a process that uses threads.

Standard input: JSON list of jobs `{"stylesheet": path, "document": path}`; each stylesheet is compiled once.
Standard output: JSON list, in the same order, of the fired findings `[{"rule": id, "text": message}, ...]`: failed
assertions and successful reports alike (in the Factur-X files a report forbids an element).
"""

import json
import sys
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def run(jobs: list[dict[str, str]]) -> list[list[dict[str, Any]]]:
    """The findings of each job."""
    processor = PySaxonProcessor(license=False)
    xslt = processor.new_xslt30_processor()
    compiled = {path: xslt.compile_stylesheet(stylesheet_file=path) for path in {job["stylesheet"] for job in jobs}}
    results = []
    for job in jobs:
        svrl = compiled[job["stylesheet"]].transform_to_string(source_file=job["document"])
        root = etree.fromstring(svrl.encode())
        fired = root.iter(f"{_SVRL}failed-assert", f"{_SVRL}successful-report")
        results.append([{"rule": one.get("id"), "text": " ".join("".join(one.itertext()).split())} for one in fired])
    return results


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)
