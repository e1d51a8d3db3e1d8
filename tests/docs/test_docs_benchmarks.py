"""`make bench` leaves no benchmark out: what nobody runs rots with the schema."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_make_bench_runs_every_benchmark() -> None:
    target = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nbench:")[1].split("\n\n")[0]
    programs = sorted(path.name for path in (ROOT / "tests" / "benchmarks").glob("bench_*.py"))
    assert programs
    assert [name for name in programs if f"tests/benchmarks/{name}" not in target] == []
