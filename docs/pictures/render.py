"""Makes score.svg from what `caliber score` prints. Needs `pip install rich`.

    caliber sample --platform trade_desk --channel display --rows 200000 \
        --mess preamble,percent,tail_aggregate --out report.csv
    script -qc "stty cols 112; caliber score report.csv 2>/dev/null" /dev/null | tr -d "\\r" \
        | python3 docs/pictures/render.py docs/pictures/score.svg
"""

import io
import sys

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS = 132
THEME = TerminalTheme(
    (17, 20, 28),
    (214, 219, 230),
    [(40, 44, 56), (240, 110, 110), (120, 200, 120), (229, 192, 100),
     (110, 160, 240), (200, 140, 230), (90, 190, 200), (214, 219, 230)],
)
# As rich has it, with fonts of the reader's machine: pictures in a README may load none.
FORMAT = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="What caliber score prints">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
console.print(Text.from_ansi("\x1b[32m$\x1b[0m \x1b[1mcaliber score report.csv\x1b[0m"))
for line in sys.stdin.read().splitlines():
    console.print(Text.from_ansi(line))
console.save_svg(sys.argv[1], theme=THEME, code_format=FORMAT, unique_id="caliber", title="")
