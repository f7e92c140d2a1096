"""Draws waterfall.svg and intervals.svg from what `caliber` says of small.csv and of a sample. Needs nothing but Python.

    python3 docs/pictures/plots.py target/release/caliber
"""

import json
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
INK, PALE, GRID = "#1f2530", "#5d6675", "#dfe3ea"
COLOURS = {"allow": "#1a7f4b", "watch": "#8a94a6", "block": "#c0392b"}
FONT = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"'


def text(x, y, words, size=12, colour=INK, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour, width=1.0, dash=""):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"{dashes}/>')


def save(name, width, height, label, parts):
    head = (f'<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'aria-label="{escape(label)}" {FONT}>')
    background = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    (HERE / name).write_text("\n".join([head, background, *parts, "</svg>"]) + "\n", encoding="utf-8")


def written(metric, value):
    """As a trader writes the metrics of small.csv."""
    return f"CPM {value:.2f}" if metric == "cpm" else f"{metric.replace('_', ' ').replace('ctr', 'CTR')} {value:.3%}"


def waterfall(told):
    """From the average to the score, a bar a metric."""
    bars = [(written(metric, told["score_breakdown"][metric]["value"]), points)
            for metric, points in told["top_factors"]]
    left, step, top = 210, 34, 64
    width, height = 720, top + step * (len(bars) + 2) + 34
    marks = [told["base_value"]]
    for _, points in bars:
        marks.append(marks[-1] + points)
    low, high = 5 * (min(marks) // 5), 5 * (max(marks) // 5 + 1)

    def at(score):
        return left + (score - low) / (high - low) * (width - left - 70)

    parts = [text(20, 28, f"{told['domain']}: from the average to its score", 16, weight="bold")]
    bottom = top + step * (len(bars) + 2)
    for score in range(int(low), int(high) + 1, 5):
        parts += [line(at(score), top - 12, at(score), bottom - 8, GRID),
                  text(at(score), bottom + 10, str(score), 11, PALE, "middle")]
    rows = [("average of the campaign", None)] + bars + [("score", None)]
    for number, (name, points) in enumerate(rows):
        y = top + step * number
        parts.append(text(left - 12, y + 9, name, 12, anchor="end", weight="normal" if points else "bold"))
        if points is None:
            value = marks[0] if number == 0 else told["score"]
            parts += [f'<circle cx="{at(value):.1f}" cy="{y + 5:.1f}" r="6" fill="{INK}"/>',
                      text(at(value) + 12, y + 9, f"{value:.1f}", 12, weight="bold")]
            continue
        start, end = at(marks[number - 1]), at(marks[number])
        colour = COLOURS["allow"] if points > 0 else COLOURS["block"]
        x, length = min(start, end), abs(end - start)
        parts += [f'<rect x="{x:.1f}" y="{y - 5:.1f}" width="{length:.1f}" height="20" fill="{colour}"/>',
                  line(end, y + 15, end, y + step - 5, PALE, 1, "2 3"),
                  text(x + length + 8, y + 9, f"{points:+.1f}", 12, colour)]
    parts.append(text((left + width - 70) / 2, bottom + 28, "points of the score", 11, PALE, "middle"))
    save("waterfall.svg", width, height, f"What each metric adds to the score of {told['domain']}", parts)


def intervals(rows, median):
    """Every row with the 90 % interval of its score, the best first, by decision."""
    rows = sorted(rows, key=lambda row: -row["evidence_score"])
    left, step, top = 250, 14, 78
    width, bottom = 900, top + step * len(rows)
    low = 10 * (min(row["score_low"] for row in rows) // 10)
    high = 10 * (max(row["score_high"] for row in rows) // 10 + 1)

    def at(score):
        return left + (score - low) / (high - low) * (width - left - 110)

    parts = [text(20, 28, "What the counts prove: 90 % intervals of the scores", 16, weight="bold")]
    for place, (decision, colour) in enumerate(COLOURS.items()):
        count = sum(row["decision"] == decision for row in rows)
        x = 20 + 130 * place
        parts += [f'<circle cx="{x + 5}" cy="47" r="5" fill="{colour}"/>',
                  text(x + 16, 51, f"{decision}: {count} rows", 12, colour)]
    for score in range(int(low), int(high) + 1, 10):
        parts += [line(at(score), top - 10, at(score), bottom, GRID),
                  text(at(score), bottom + 16, str(score), 11, PALE, "middle")]
    parts += [line(at(median), top - 14, at(median), bottom, INK, 1.2, "5 4"),
              text(at(median), top - 18, f"median {median:.1f}", 11, INK, "middle"),
              text(width - 10, top - 18, "impressions", 11, PALE, "end")]
    for number, row in enumerate(rows):
        y = top + step * number + step / 2
        colour = COLOURS[row["decision"]]
        parts += [text(left - 12, y + 3.5, row["domain"], 10, colour, "end"),
                  line(at(row["score_low"]), y, at(row["score_high"]), y, colour, 2),
                  f'<circle cx="{at(row["evidence_score"]):.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/>',
                  text(width - 10, y + 3.5, f"{row['impressions']:,.0f}", 10, PALE, "end")]
    parts.append(text((left + width - 110) / 2, bottom + 34, "score that the counts give", 11, PALE, "middle"))
    save("intervals.svg", width, bottom + 46, "Scores with their intervals, by decision", parts)


def main():
    caliber = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:

        def run(*arguments):
            command = [caliber, *map(str, arguments)]
            return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

        run("score", (HERE / "small.csv").resolve(), "--recipe", "generic-display-action", "--out", "small")
        waterfall(json.loads(run("explain", "small", "--domain", "games.example", "--json")))
        run("sample", "--platform", "trade_desk", "--channel", "display", "--rows", 6000, "--domains", 60,
            "--out", "report.csv")
        run("score", "report.csv", "--goal", "action", "--list-policy", "evidence", "--format", "json",
            "--out", "evidence")
        rows = json.loads(Path(folder, "evidence/results.json").read_text(encoding="utf-8"))
        summary = json.loads(Path(folder, "evidence/summary.json").read_text(encoding="utf-8"))
        intervals(rows, summary["lists"]["median"])


main()
