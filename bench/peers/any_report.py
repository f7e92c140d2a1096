"""What the peers share when they must be right on any report of the platform: where the table is, what a number is,
what a name is. The rules are those of `caliber`; the libraries apply them, this module only states them.

The patterns are written for Python, Rust's regex and RE2 alike.
"""

import csv
import io
import re
from dataclasses import dataclass

# Canonical columns of Trade Desk display, awareness, and the headers that name them, the preferred first.
ALIASES = {
    "domain": "site|domain|app bundle|site app|app url|site domain|property|placement|publisher",
    "impressions": "impressions|imps|total impressions",
    "clicks": "clicks|click|total clicks",
    "spend": "advertiser cost|total spend|spend|cost|total cost|media cost|advertiser spending|advertiser total cost",
    "ias": "ias display fully in view 1 second rate|ias display fully in view 1s rate|viewability rate|in view rate",
    "ad_load_xl": "ad load xl (excessive) impressions|ad load xl (imps)|ad load xl|excessive ad load",
    "ad_refresh": "ad refresh below 15s impressions|ad refresh <15s (imps)|ad refresh below 15s",
}
NUMBERS = [name for name in ALIASES if name != "domain"]
# Money in the advertiser's currency goes before a partner's, and that before dollars.
UNITS = ["(adv currency)", "(advertiser currency)", "", "(partner currency)", "(usd)", "(%)"]
# Lines among which the header is looked for.
FIRST_LINES = 50


@dataclass(frozen=True)
class Table:
    """Where the table of a report begins and what it holds."""

    delimiter: str
    # Lines before the header.
    skip: int
    # Cells of the header.
    width: int
    # Canonical name to position.
    columns: dict[str, int]
    # Whether the header of the rate says that its cells are on the scale 0 to 100.
    percent_header: bool


def words(header: str) -> str:
    """A header without what makes no difference: case, dashes, underscores, blanks, prefix."""
    text = re.sub(r"[\s\u00a0_/:\u2010-\u2015-]+", " ", header.lower()).strip()
    return re.sub(r"^(ttd|pulsepoint|report) ", "", text)


def matched(headers: list[str]) -> dict[str, int]:
    """Canonical name to position, for the headers that name one."""
    found = [words(header) for header in headers]
    columns = {}
    for name, aliases in ALIASES.items():
        spelled = (f"{alias} {unit}".strip() for alias in aliases.split("|") for unit in UNITS)
        position = next((found.index(text) for text in spelled if text in found), None)
        if position is not None:
            columns[name] = position
    return columns


def table(report: str) -> Table:
    """Finds delimiter, header row and columns by what the first lines hold."""
    with open(report, encoding="utf-8-sig", newline="") as lines:
        first = [line for _, line in zip(range(FIRST_LINES), lines)]
    for skip, line in enumerate(first):
        for delimiter in ",;\t|":
            headers = next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
            columns = matched(headers)
            if len(columns) == len(ALIASES):
                percent = "(%)" in headers[columns["ias"]] or headers[columns["ias"]].lstrip().startswith("%")
                return Table(delimiter, skip, len(headers), columns, percent)
    raise SystemExit(f"{report}: no header row with the columns {', '.join(ALIASES)}")


# ---- numbers

# Blanks of every kind, and what cannot be seen.
BLANKS = "[\\s\u00a0\u00ad\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff]+"
CURRENCY = (
    "(?:(?:US|U|A|AU|C|CA|NZ|HK|S|SG|NT|MX|R)?\\$|[€£¥₹₽₺₩₫₪₴₦₱฿]|USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK"
    "|HUF|RON|BGN|TRY|RUB|UAH|BRL|MXN|ARS|CLP|COP|INR|CNY|RMB|HKD|SGD|TWD|KRW|THB|IDR|MYR|PHP|VND|ZAR|AED|SAR|ILS|EGP"
    "|kr|zł)"
)
# Digits as they stand where the point is the decimal separator: plain, or in threes, or the Indian way.
DIGITS = (
    "(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\\.[0-9]*)?"
    "|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:\\.[0-9]*)?|[1-9][0-9]{0,2}(?:[ '’][0-9]{3})+(?:\\.[0-9]*)?)"
)
MINUS = "[-\u2010-\u2015\u2212]"
# A whole cell that is a number, after blanks are made one and trimmed.
NUMBER = (
    "(?i)^(?:=? ?[\"'] ?)?(?:"
    f"(?:{MINUS}|\\+)? ?(?:{CURRENCY} ?)?{DIGITS} ?{CURRENCY}? ?%?"
    f"|{CURRENCY} ?{MINUS} ?{DIGITS}"
    f"|(?:{CURRENCY} ?)?{DIGITS} ?{CURRENCY}? ?%? ?{MINUS}"
    f"|(?:{CURRENCY} ?)?\\( ?(?:{CURRENCY} ?)?{DIGITS} ?{CURRENCY}? ?%? ?\\) ?%?"
    ") ?[\"']?$"
)
NEGATIVE = "[(\u2010-\u2015\u2212-]"
NO_DIGIT = "[^0-9.]+"


def evidence(decimal: str, thousands: str) -> str:
    """The cells in which one of point and comma must be the decimal separator; `1,234` may be either way."""
    d, t = re.escape(decimal), re.escape(thousands)
    forms = [
        f"[0-9]*{d}[0-9]{{0,2}}",
        f"[0-9]*{d}[0-9]{{4,}}",
        f"(?:[0-9]{{4,}}|0[0-9]*)?{d}[0-9]{{3}}",
        f"[0-9]{{1,3}}(?:{t}[0-9]{{3}}){{2,}}",
        f"[0-9]{{1,3}}(?:{t}[0-9]{{3}})+{d}[0-9]*",
    ]
    if thousands == ",":
        forms.append("[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\\.[0-9]*)?")
    return f"^[^0-9.,]*(?:{'|'.join(forms)})[^0-9.,]*$"


POINT, COMMA = evidence(".", ","), evidence(",", ".")


def comma_columns(counts: dict[str, tuple[int, int]]) -> set[str]:
    """The columns whose decimal separator is the comma, of the cells of each that speak for point and for comma.

    A column that no cell settles follows the file's other columns.
    """
    commas = {name for name, (point, comma) in counts.items() if comma > point}
    points = {name for name, (point, comma) in counts.items() if point > comma}
    unsettled = counts.keys() - commas - points
    return commas | unsettled if len(commas) > len(points) else commas


def scale(table: Table, percent_signs: int, nonzero: int, above_one: int) -> float:
    """What the plain cells of a rate are divided by: its column is in percent, or holds fractions."""
    in_percent = percent_signs > 0 or table.percent_header or above_one * 100 > nonzero
    return 100.0 if in_percent else 1.0


# ---- names

# A cell that is a host or a dotted id, in lower case; the group is what rows are grouped by.
HOST = (
    "^\\s*(?:(?:[a-z][a-z0-9+.-]*:)?//)?(?:www\\.)*((?:[a-z0-9_-]+\\.)+[a-z0-9_-]+)"
    "\\.*(?::[0-9]*)?(?:[/?#\\\\].*)?\\s*$"
)
# Hosts that `HOST` would find where the id of an app or nobody is meant.
NOT_HOSTS = [
    "itunes.apple.com",
    "apps.apple.com",
    "geo.itunes.apple.com",
    "play.google.com",
    "deals.unknown",
    "managed.unknown",
]
STORES = set(NOT_HOSTS[:4])
AGGREGATES = set(
    "[tail aggregate]|row labels|summary|aggregate|(not set)|(not available)|low volume inventory|deals.unknown|"
    "managed.unknown|undisclosed|unknown|anonymous|total|totals|grand total|grand totals|subtotal|subtotals|sub-total|"
    "sub-totals|sub total|sub totals|overall total|итого|итог|всего|общий итог|названия строк|gesamt|gesamtsumme|"
    "gesamtergebnis|insgesamt|summe|zeilenbeschriftungen|totale|totali|totale complessivo|etichette di riga|totales|"
    "total general|etiquetas de fila|total général|total generale|totaux|étiquettes de lignes|total geral|"
    "rótulos de linha|totaal|eindtotaal|rijlabels|totalt|totalsumma|suma|suma końcowa|razem|toplam|genel toplam|celkem|"
    "合計|総計|总计|합계".split("|")
)
NOTHING = set(
    ".|n/a|na|n.a.|n.a|n/d|k.a.|<na>|null|(null)|none|nil|nan|\\n|undefined|missing|(blank)|not available".split("|")
)
COUNTED = (
    r"(?:all|(?:all )?(?:account|ad groups|apps|campaigns?|domains|exchanges|filtered rows|inventory sources|other|"
    r"placements|properties|publishers|report|rows|sites|ssps|supply vendors))"
)
COUNTED_TOTAL = re.compile(
    r"(?:(?P<total>[^(]*?)(?: \((?:[0-9].*|" + COUNTED + r")\)|(?: [-–—] |: |, | for | of )" + COUNTED + r"))$"
)
ALL_COUNTED = re.compile(COUNTED.replace("(?:all|(?:all )?", "(?:all ") + "$")
ADDRESS = re.compile(HOST)
PADDING = " \t\r\n\v\f\0\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def names(spellings: list[str | None], impressions: list[float]) -> list[str | None]:
    """The name of each spelling that `HOST` does not know, as shown; `None` for what sums up others or names nobody.

    Names and ids are grouped without regard to case, and shown in the spelling with most impressions.
    """
    keys: list[str | None] = []
    shown: dict[str, dict[str, float]] = {}
    for spelling, seen in zip(spellings, impressions):
        key, own = key_of(spelling or "")
        keys.append(None if key is None or is_nobody(key) else key)
        spelled = shown.setdefault(key or "", {})
        spelled[own] = spelled.get(own, 0.0) + seen
    most = {key: max(spelled, key=lambda own: (spelled[own], own)) for key, spelled in shown.items()}
    return [key and most[key] for key in keys]


def key_of(cell: str) -> tuple[str, str]:
    """What a cell is grouped by, and its own spelling of that."""
    text = cell.strip(PADDING)
    if (kept := re.fullmatch(r'="(.*)"', text)) or (kept := re.fullmatch(r"'([=+@-].*)", text)):
        text = kept[1].strip(PADDING)
    lower = text.lower()
    found = ADDRESS.match(re.sub(r"^((?:[a-z][a-z0-9+.-]*:)?//)[^/?#@]+@", r"\1", lower))
    host = found[1] if found else idn_host(lower)
    if (host in STORES or lower.startswith("market://details")) and (id := store_id(text)):
        return id.lower(), id
    if host:
        return host, host
    spelled = " ".join(text.split())
    return spelled.lower(), spelled


def idn_host(lower: str) -> str | None:
    """The punycode of a host outside ASCII."""
    if lower.isascii() or " " in lower.strip():
        return None
    import idna  # Most reports need it not.

    host = re.sub(r"^(?:[a-z][a-z0-9+.-]*:)?//", "", lower)
    host = re.sub(r":[0-9]*$", "", re.split(r"[/?#\\]", host, maxsplit=1)[0])
    try:
        ascii_host = idna.encode(host.rstrip("."), uts46=True).decode()
    except idna.IDNAError:
        return None
    found = ADDRESS.match(ascii_host)
    return found[1] if found else None


def store_id(url: str) -> str | None:
    """The id of an app in an address of its store."""
    apple = re.search(r"/id([0-9]+)(?:[/?#]|$)", url, re.IGNORECASE) if "apple" in url.lower() else None
    query = apple or re.search(r"[?&]id=([A-Za-z0-9._-]+)", url, re.IGNORECASE)
    return query and query[1]


def is_nobody(key: str) -> bool:
    """Whether a key sums up other rows or names nobody. Whole keys only: totalwine.com is a domain."""
    label = key.rstrip(": ：")
    if not label.strip(" -‐‑‒–—―−") or label in AGGREGATES or key in NOTHING or ALL_COUNTED.match(label):
        return True
    counted = COUNTED_TOTAL.match(label)
    return bool(counted) and counted["total"] in AGGREGATES
