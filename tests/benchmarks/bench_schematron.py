"""Schematron: this engine beside saxonche, in the same run, on the same documents.

`python tests/benchmarks/bench_schematron.py [--sizes N,N] [--repeats N]` prints a Markdown table: time of both rule
sets of a syntax, their ratio and peak memory, for valid invoices and for invoices that fail on every line, of 1 to
10,000 lines. Saxon takes four times as long for twice as many failing lines: a size that may cost it minutes is left
out. Both sides start from XML bytes and end with the full report: findings with tests, locations and messages for us,
the SVRL as a string for Saxon. Stylesheets are compiled before the clock starts, garbage collection is on. Each engine
runs in a process of its own, as Saxon must, and is timed by the processor time that process takes: what else the
machine does disturbs that less than the clock on the wall.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import process_time

from lxml import etree
from measuring import machine, table

from fixtures.cii import to_cii
from fixtures.companies import make_customers, make_seller
from fixtures.drafts import Kind, make_draft
from fixtures.profiles import Profile
from fixtures.ubl import to_ubl
from gateway.schematron import load_rules, prepare
from tests.schematron.artefacts import BY_NAME

RULE_SETS = {"UBL": ("EN16931-UBL", "BR-FR-UBL"), "CII": ("Factur-X EN16931", "BR-FR-CII")}
#: Seconds that Saxon may take for one size; it is not asked for a larger one past them.
PATIENCE = 60
#: An element of every line to spoil, so that each line has at least one finding.
LINE_VALUE = {"UBL": "{*}InvoiceLine/{*}LineExtensionAmount", "CII": ".//{*}LineTotalAmount"}


def invoice(syntax: str, lines: int, *, failing: bool) -> bytes:
    """An invoice of that many lines; a failing one has three digits after the point in the net amount of each line."""
    seller, customer = make_seller(1), make_customers(1, 1)[0]
    draft = make_draft(Random(1), seller, seller.agencies[0], customer, Kind.INVOICE, line_count=lines)
    data = to_ubl(draft) if syntax == "UBL" else to_cii(draft, Profile.EN_16931)
    if not failing:
        return data
    root = etree.fromstring(data)
    for amount in root.findall(LINE_VALUE[syntax]):
        amount.text = f"{amount.text}5"
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _repeated(work: Callable[[], int], repeats: int) -> tuple[float, int]:
    """Shortest processor time in seconds, of all threads, and what `work` returns."""
    times: list[float] = []
    result = work()
    for _ in range(repeats):
        start = process_time()
        result = work()
        times.append(process_time() - start)
    return min(times), result


def _serve(engine: str, syntax: str, cache: str) -> None:
    """Answer one request a line: a document's path and a number of repeats; seconds, findings and peak memory back."""
    work = _saxon(syntax) if engine == "saxon" else _ours(syntax, cache)
    for line in sys.stdin:
        path, repeats = json.loads(line)
        data = Path(path).read_bytes()
        seconds, findings = _repeated(lambda data=data: work(data), repeats)  # type: ignore[misc]
        print(json.dumps((seconds, findings, _peak_megabytes())), flush=True)


def _peak_megabytes() -> float:
    """Peak memory of this process since it began; the system's own count would include that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _ours(syntax: str, cache: str) -> Callable[[bytes], int]:
    rule_sets = [load_rules(BY_NAME[name].path, cache) for name in RULE_SETS[syntax]]

    def work(data: bytes) -> int:
        document = prepare(etree.fromstring(data))
        return sum(len(rules.check(document)) for rules in rule_sets)

    return work


def _saxon(syntax: str) -> Callable[[bytes], int]:
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    xslt = processor.new_xslt30_processor()
    stylesheets = [xslt.compile_stylesheet(stylesheet_file=str(BY_NAME[name].path)) for name in RULE_SETS[syntax]]

    def work(data: bytes) -> int:
        node = processor.parse_xml(xml_text=data.decode())
        reports = [stylesheet.transform_to_string(xdm_node=node) for stylesheet in stylesheets]
        return sum(report.count("<svrl:failed-assert") + report.count("<svrl:successful-report") for report in reports)

    return work


class _Engine:
    """A process that runs one engine on one syntax."""

    def __init__(self, engine: str, syntax: str, cache: str) -> None:
        command = [sys.executable, __file__, "--serve", engine, syntax, cache]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def run(self, path: Path, repeats: int) -> tuple[float, int, float]:
        """Seconds, number of findings, peak memory of the process so far in MB."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps((str(path), repeats)), file=self.process.stdin, flush=True)
        seconds, findings, peak = json.loads(self.process.stdout.readline())
        return seconds, findings, peak

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def _rows(folder: Path, sizes: list[int], repeats: int, only: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for syntax in RULE_SETS:
        for failing in (False, True):
            label = f"{syntax} {'failing' if failing else 'valid'}"
            if only not in label:
                continue
            engines = {name: _Engine(name, syntax, str(folder / "cache")) for name in ("ours", "saxon")}
            other = 0.0
            for lines in sizes:
                path = folder / f"{syntax}-{lines}-{failing}.xml"
                path.write_bytes(invoice(syntax, lines, failing=failing))
                # A service is warm: Python learns a rule that runs once a document in some fifty documents.
                times = max(repeats, min(100, 1000 // lines))
                seconds, found, peak = engines["ours"].run(path, times)
                row = [label, f"{lines:,}", f"{path.stat().st_size / 1e6:.2f}", found, f"{seconds * 1000:.1f}"]
                per_line = seconds / lines * 1e6
                if other <= PATIENCE:
                    other, other_found, other_peak = engines["saxon"].run(path, 1 if lines >= 1000 else times)
                    same = "" if found == other_found else f" (Saxon: {other_found})"
                    row[3] = f"{found}{same}"
                    row += [f"{other * 1000:.1f}", f"**{other / seconds:.1f}**", f"{per_line:.0f}"]
                    row += [f"{peak:.0f}", f"{other_peak:.0f}"]
                else:
                    row += ["", "", f"{per_line:.0f}", f"{peak:.0f}", ""]
                rows.append(tuple(row))
                print(*row, sep="\t", file=sys.stderr)
            for engine in engines.values():
                engine.close()
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1,20,100,1000,5000,10000", help="lines of the invoices, smallest first")
    parser.add_argument("--only", default="", help="invoices whose label contains this, as in 'UBL failing'")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--serve", nargs=3, metavar=("ENGINE", "SYNTAX", "CACHE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(*options.serve)
        return
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        for names in RULE_SETS.values():
            for name in names:
                load_rules(BY_NAME[name].path, Path(folder) / "cache")
        rows = _rows(Path(folder), sizes, options.repeats, options.only)
    header = ("invoice", "lines", "MB", "findings", "ours ms", "Saxon ms", "ratio", "ours µs/line")
    print(f"{machine()}; both rule sets of a syntax: {RULE_SETS}\n")
    print(table((*header, "ours peak MB", "Saxon peak MB"), rows))


if __name__ == "__main__":
    main()
