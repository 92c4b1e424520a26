"""Shows reports of runs as one HTML page that needs nothing else: bars with intervals, tables, the worst answers' pictures.

What it shows comes from `reports.compare`; all of it is escaped. Knows no file and no model.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --bar: #3267d6; --line: #8884; }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 2rem; } th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { white-space: nowrap; } td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } .track { position: relative; width: 18rem; height: .9rem; background: var(--line); }
.track i { position: absolute; inset: 0 auto 0 0; background: var(--bar); } .track b { position: absolute; top: .35rem; height: .2rem; background: currentColor; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; margin-bottom: 2rem; }
figure { margin: 0; } figure img { max-width: 100%; max-height: 15rem; } figcaption { font-size: .85rem; overflow-wrap: anywhere; }
"""


def page(
    title: str,
    sections: Sequence[Mapping[str, Any]],
    notes: Sequence[str] = (),
    figures: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the page of one or several benchmarks' reports.

    `notes` stand on top, a paragraph each; `figures` are captions with `data:` URLs and stand at the end.
    """
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(note)}" for note in notes)]
    for section in sections:
        body += _section(section)
    body += [f"<figure>{_image(url)}<figcaption>{escape(caption)}</figcaption></figure>" for caption, url in figures]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>{''.join(body)}</html>\n"
    )


def _section(found: Mapping[str, Any]) -> Iterator[str]:
    chief, runs = found["chief"], found["runs"]
    yield f"<h2>{escape(found['benchmark'])}</h2><p>{escape(chief)}, with 95 % intervals ({found['bootstrap_rounds']} draws)"
    yield from _bars(chief, runs)
    yield from _metrics(runs)
    yield from _categories(chief, runs)
    for run in runs:
        yield from _worst(run)
        yield from _changed(run)


def _bars(chief: str, runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    known = [run[chief] for run in runs if run[chief] is not None]
    scale = max([100.0, *(sure["high"] for sure in known)])
    yield "<table><tr><th>run<th><th><th>95 %<th>answers<th>against the first"
    for run in runs:
        yield f"<tr><td>{escape(run['run'])}"
        yield _bar(run[chief], scale)
        gap = run.get("difference")
        told = "" if gap is None else f"{gap['value']:+.2f} [{gap['low']:+.2f}, {gap['high']:+.2f}] on {gap['n']}"
        yield f"<td class=n>{run['n']}, {run['missing']} missing<td class=n>{told}"
    yield "</table>"


def _bar(sure: Mapping[str, float] | None, scale: float) -> str:
    if sure is None:
        return "<td><td class=n>none<td>"
    left, width = 100 * sure["low"] / scale, 100 * (sure["high"] - sure["low"]) / scale
    return (
        f'<td><div class=track><i style="width:{100 * sure["value"] / scale:.2f}%"></i>'
        f'<b style="left:{left:.2f}%;width:{width:.2f}%"></b></div>'
        f"<td class=n>{sure['value']:.2f}<td class=n>[{sure['low']:.2f}, {sure['high']:.2f}]"
    )


def _metrics(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = list(dict.fromkeys(name for run in runs for name in run["metrics"]))
    yield "<h3>All metrics</h3><table><tr><th>" + "".join(f"<th>{escape(run['run'])}" for run in runs)
    for name in names:
        cells = (run["metrics"].get(name) for run in runs)
        yield f"<tr><td>{escape(name)}" + "".join(f"<td class=n>{_number(cell)}" for cell in cells)
    yield "</table>"


def _categories(chief: str, runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = list(dict.fromkeys(name for run in runs for name in run.get("categories", {})))
    if not names:
        return
    yield f"<h3>{escape(chief)} by category</h3><table><tr><th>" + "".join(f"<th>{escape(run['run'])}" for run in runs)
    for name in names:
        yield f"<tr><td>{escape(name)}"
        for run in runs:
            cell = run.get("categories", {}).get(name)
            yield (
                "<td>"
                if cell is None
                else (
                    f"<td class=n>{cell[chief]['value']:.2f} [{cell[chief]['low']:.2f}, {cell[chief]['high']:.2f}], {cell['n']}"
                )
            )
    yield "</table>"


def _worst(run: Mapping[str, Any]) -> Iterator[str]:
    if not run.get("worst"):
        return
    yield f"<h3>The worst: {escape(run['run'])}</h3><div class=cards>"
    for one in run["worst"]:
        yield (
            f"<figure>{_image(one.get('picture') or '')}<figcaption><b>{escape(one['id'])}</b> {one['grade']:.2f}<br>true: {escape(one['label'])}"
            f"<br>said: {escape(one['answer'])}</figcaption></figure>"
        )
    yield "</div>"


def _image(url: str) -> str:
    """Return a picture that the page carries itself; it must not fetch what an answer says."""
    return f'<img alt="" src="{escape(url)}">' if url.startswith("data:image/") else ""


def _changed(run: Mapping[str, Any]) -> Iterator[str]:
    if not run.get("changed"):
        return
    yield f"<h3>Better or worse than the first: {escape(run['run'])}</h3><table><tr><th>id<th><th>true<th>first<th>now"
    for one in run["changed"]:
        words = "".join(f"<td>{escape(one[name])}" for name in ("label", "baseline", "run"))
        yield f"<tr><td>{escape(one['id'])}<td class=n>{one['change']:+.2f}{words}"
    yield "</table>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
