"""The overhead bench's result as Markdown. Called by `tests.bench.overhead`."""

from typing import Any

PERCENTILES = ("p50", "p95", "p99")


def table(result: dict[str, Any]) -> str:
    """Three tables per server: side by side, CPU time, and stages of hits and misses."""
    machine = result["machine"]
    lines = [
        "# Overhead of /ground",
        "",
        (
            f"{result['date']}, {machine['cores']} cores of {machine['cpu']}, Python {machine['python']}, load average at the end "
            f"{' and '.join(map(str, result['load']))} (1 and 5 minutes; the bench itself makes about 1)"
        ),
        "",
    ]
    for name, found in result["servers"].items():
        lines += [f"## {name}", "", *_sides(found), "", *_cpu(found), "", *_stages(found), ""]
    return "\n".join(lines)


def _sides(found: dict[str, Any]) -> list[str]:
    lines = [
        "| at once | direct p50/p95/p99 ms | /ground p50/p95/p99 ms | p50 ratio | direct /s | /ground /s | throughput ratio | from a standing start |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for concurrency, row in found["concurrency"].items():
        direct, ground = ("/".join(f"{row[key][q]:.0f}" for q in PERCENTILES) for key in ("direct_ms", "ground_ms"))
        lines.append(
            f"| {concurrency} | {direct} | {ground} | {row['p50_ratio']:.3f} | {row['direct_per_s']} | {row['ground_per_s']} "
            f"| {row['throughput_ratio']:.3f} | {row['throughput_ratio_from_start']:.3f} |"
        )
    return lines


def _cpu(found: dict[str, Any]) -> list[str]:
    kinds = list(dict.fromkeys(kind for row in found["concurrency"].values() for kind in row["ground_cpu_ms"]))
    lines = [f"| CPU ms per request | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for concurrency, row in found["concurrency"].items():
        for side, label in (("direct", "direct"), ("ground", "/ground")):
            cells = (f"{row[f'{side}_cpu_ms'].get(kind, 0.0):.2f}" for kind in kinds)
            lines.append(f"| {label}, {concurrency} at once | {' | '.join(cells)} |")
    return lines


def _stages(found: dict[str, Any]) -> list[str]:
    lines = ["| stage, one at a time | hit p50/p95/p99 ms | miss p50/p95/p99 ms |", "|---|---|---|"]
    hit = found["stages_ms_hit"] | {"whole request": found["concurrency"]["1"]["ground_ms"]}
    miss = found["stages_ms_miss"] | {"whole request": found["miss_ms"]}
    for stage in dict.fromkeys([*hit, *miss]):
        cells = [
            "/".join(f"{side[stage][q]:.1f}" for q in PERCENTILES) if stage in side else "" for side in (hit, miss)
        ]
        lines.append(f"| {stage} | {cells[0]} | {cells[1]} |")
    return lines
