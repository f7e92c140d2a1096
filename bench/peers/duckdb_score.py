"""Scores a Trade Desk display report (awareness) with DuckDB: one SQL statement over read_csv with the types given,
so that nothing is sniffed and only the needed columns are converted.

python duckdb_score.py REPORT OUTDIR [--plain | --any-report]

Without a flag the file is known to be clean: these headers, plain numbers, names as they are. With it the rules of
any_report.py hold: the columns are read as numbers all the same, and only a file that refuses is read as text, with
TRY_CAST, and patterns where that gives nothing; names are normalised once for each distinct spelling. With --plain the file
is read as it is mostly done, with nothing but its name: DuckDB finds dialect and types.
"""

import csv
import json
import sys
import time
from pathlib import Path

import any_report
import duckdb

STARTED = time.perf_counter()

TYPES = {
    "Impressions": "BIGINT",
    "Clicks": "BIGINT",
    "Advertiser Cost": "DOUBLE",
    "IAS Display Fully In View 1 Second Rate": "DOUBLE",
    "Ad Load - XL (Excessive) - Impressions": "BIGINT",
    "Ad Refresh - Below 15s - Impressions": "BIGINT",
}
# metric: (weight, lower is better)
METRICS = {
    "cpm": (0.15, True),
    "ias_display_fully_in_view_1s_rate": (0.25, False),
    "ctr": (0.20, False),
    "ad_load_xl_rate": (0.20, True),
    "ad_refresh_below_15s_rate": (0.20, True),
}
MIN_IMPRESSIONS = 250


def literal(text: str) -> str:
    """A string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def source(report: str) -> str:
    """read_csv with every column's name and type, taken from the header line."""
    with open(report, encoding="utf-8", newline="") as lines:
        headers = next(csv.reader(lines))
    columns = ", ".join(f"{literal(h)}: {literal(TYPES.get(h, 'VARCHAR'))}" for h in headers)
    return (
        f"read_csv({literal(report)}, columns = {{{columns}}}, header = true, auto_detect = false, "
        "delim = ',', quote = '\"', escape = '\"')"
    )


def normalized(metric: str, lower_is_better: bool) -> str:
    """Min-max to 0-100; all equal gives 50, missing gives 0."""
    low, high = f"min({metric}) OVER ()", f"max({metric}) OVER ()"
    distance = f"{high} - {metric}" if lower_is_better else f"{metric} - {low}"
    return (
        f"CASE WHEN {metric} IS NULL THEN 0.0 "
        f"WHEN {high} - {low} <= 1e-12 * greatest(abs({low}), abs({high})) THEN 50.0 "
        f"ELSE greatest(0.0, least(100.0, ({distance}) / ({high} - {low}) * 100)) END AS {metric}_normalized"
    )


def clean_sums(rows: str) -> str:
    """The sums of each site of a clean file, from what reads it."""
    return f"""
        SELECT "Site" AS domain,
               sum("Impressions")::BIGINT AS impressions,
               sum("Clicks")::BIGINT AS clicks,
               sum("Advertiser Cost") AS spend,
               sum("IAS Display Fully In View 1 Second Rate" * "Impressions") AS ias_weighted,
               sum("Impressions") FILTER ("IAS Display Fully In View 1 Second Rate" IS NOT NULL) AS ias_impressions,
               sum("Ad Load - XL (Excessive) - Impressions") AS ad_load_xl,
               sum("Ad Refresh - Below 15s - Impressions") AS ad_refresh
        FROM {rows}
        GROUP BY "Site"
        HAVING sum("Impressions") >= {MIN_IMPRESSIONS}
    """


def any_sums(connection: duckdb.DuckDBPyConnection, report: str) -> str:
    """The same of any report: tables for what has to be seen as a whole, and the query on them."""
    table = any_report.table(report)
    percent_signs = 0
    try:
        connection.execute(by_spelling(cells(report, table, "DOUBLE")))
        sums = "ias_weighted + clicks + spend + ad_load_xl + ad_refresh + impressions"
        if connection.execute(f"SELECT count(*) FROM spellings WHERE NOT isfinite({sums})").fetchone() != (0,):
            raise duckdb.ConversionException("inf and nan are no figures")
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        connection.execute(f"CREATE TEMP TABLE texts AS {cells(report, table, 'VARCHAR')}")
        numbers, percent_signs = read_numbers(connection)
        connection.execute(by_spelling(numbers))
    facts = connection.execute("SELECT sum(nonzero), sum(above_one) FROM spellings").fetchone()
    scale = 1.0 if percent_signs else any_report.scale(table, 0, *(fact or 0 for fact in facts))
    name_others(connection)
    summed = ", ".join(f"sum({name}) AS {name}" for name in SUMMED if name != "ias_weighted")
    return f"""
        SELECT coalesce(name, other) AS domain, {summed}, sum(ias_weighted) / {scale} AS ias_weighted
        FROM spellings LEFT JOIN others ON spellings.domain = others.domain
        WHERE coalesce(name, other) IS NOT NULL
        GROUP BY ALL
        HAVING sum(impressions) >= {MIN_IMPRESSIONS}
    """


SUMMED = [
    *(name if name != "ias" else "ias_weighted" for name in any_report.NUMBERS),
    *(f"{name}_impressions" for name in any_report.NUMBERS if name != "impressions"),
]


def cells(report: str, table: any_report.Table, kind: str) -> str:
    """The columns of a report by canonical name; the cells of numbers as one kind."""
    at = {position: name for name, position in table.columns.items()}
    kinds = [kind if at.get(position, "domain") != "domain" else "VARCHAR" for position in range(table.width)]
    columns = ", ".join(f"'c{position}': '{own}'" for position, own in enumerate(kinds))
    # What a strict reader refuses is refused of numbers only: text comes after them.
    lenient = "" if kind == "DOUBLE" else ", null_padding = true, strict_mode = false"
    names = ", ".join(f"c{position} AS {name}" for position, name in at.items())
    return (
        f"SELECT {names} FROM read_csv({literal(report)}, columns = {{{columns}}}, header = false, "
        f"auto_detect = false, skip = {table.skip + 1}, delim = {literal(table.delimiter)}, quote = '\"', "
        f"escape = '\"'{lenient})"
    )


def by_spelling(cells: str) -> str:
    """The statement that sums the rows of each spelling of a name; rows without impressions are left out."""
    present = ", ".join(
        f"sum(CASE WHEN {name} IS NOT NULL THEN impressions END) AS {name}_impressions"
        for name in any_report.NUMBERS
        if name != "impressions"
    )
    host = f"nullif(regexp_extract(lower(domain), {literal(any_report.HOST)}, 1), '')"
    not_hosts = ", ".join(map(literal, any_report.NOT_HOSTS))
    return f"""
    CREATE OR REPLACE TEMP TABLE spellings AS
    WITH sums AS (
        SELECT domain, sum(impressions) AS impressions, coalesce(sum(clicks), 0) AS clicks,
               coalesce(sum(spend), 0) AS spend, coalesce(sum(ias * impressions), 0) AS ias_weighted,
               coalesce(sum(ad_load_xl), 0) AS ad_load_xl, coalesce(sum(ad_refresh), 0) AS ad_refresh, {present},
               count(*) FILTER (ias <> 0) AS nonzero, count(*) FILTER (abs(ias) > 1) AS above_one
        FROM ({cells})
        WHERE impressions IS NOT NULL
        GROUP BY domain
    )
    SELECT *, CASE WHEN {host} NOT IN ({not_hosts}) THEN {host} END AS name FROM sums
    """


def read_numbers(connection: duckdb.DuckDBPyConnection) -> tuple[str, int]:
    """The query that reads the numbers of `texts`, and how many cells of the rate carry a percent sign.

    Only the distinct cells of a column are read by pattern: there are thousands of them in a million rows.
    """
    counts = {}
    for name in any_report.NUMBERS:
        connection.execute(
            f"CREATE TEMP TABLE {name}_cells AS "
            f"SELECT {name} AS cell, count(*) AS times FROM texts WHERE {name} IS NOT NULL GROUP BY {name}"
        )
        speak = (
            f"coalesce(sum(times) FILTER (regexp_matches(cell, {literal(form)})), 0)"
            for form in (any_report.POINT, any_report.COMMA)
        )
        counts[name] = connection.execute(f"SELECT {', '.join(speak)} FROM {name}_cells").fetchone()
    commas = any_report.comma_columns(counts)
    (percent_signs,) = connection.execute(
        "SELECT coalesce(sum(times) FILTER (contains(cell, '%')), 0) FROM ias_cells"
    ).fetchone()
    numbers, joins = [], []
    for name in any_report.NUMBERS:
        value = number("translate(cell, '.,', ',.')" if name in commas else "cell", is_rate=name == "ias")
        if name == "ias" and percent_signs:
            value = f"({value}) / CASE WHEN contains(cell, '%') THEN 1 ELSE 100 END"
        connection.execute(f"CREATE TEMP TABLE {name}_read AS SELECT cell, {value} AS value FROM {name}_cells")
        differ = f"SELECT count(*) FROM {name}_read WHERE TRY_CAST(cell AS DOUBLE) IS DISTINCT FROM value"
        if connection.execute(differ).fetchone() == (0,):
            numbers.append(f"TRY_CAST({name} AS DOUBLE) AS {name}")
        else:
            numbers.append(f"{name}_read.value AS {name}")
            joins.append(f"LEFT JOIN {name}_read ON {name}_read.cell = texts.{name}")
    return f"SELECT domain, {', '.join(numbers)} FROM texts {' '.join(joins)}", percent_signs


def number(cell: str, is_rate: bool) -> str:
    """A cell as a number: by a cast, and by pattern where that gives nothing."""
    text = f"trim(regexp_replace({cell}, {literal(any_report.BLANKS)}, ' ', 'g'))"
    digits = f"TRY_CAST(regexp_replace({text}, {literal(any_report.NO_DIGIT)}, '', 'g') AS DOUBLE)"
    sign = f"CASE WHEN regexp_matches({text}, {literal(any_report.NEGATIVE)}) THEN -1 ELSE 1 END"
    percent = f"CASE WHEN NOT contains({cell}, '%') THEN 1 {'ELSE 100' if is_rate else ''} END"
    value = (
        f"coalesce(TRY_CAST({cell} AS DOUBLE), "
        f"CASE WHEN regexp_matches({text}, {literal(any_report.NUMBER)}) THEN {sign} * {digits} / {percent} END)"
    )
    return f"CASE WHEN isfinite({value}) THEN {value} END"


def name_others(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the table of the names of what is no host."""
    other = connection.execute("SELECT domain, impressions FROM spellings WHERE name IS NULL").fetchall()
    names = any_report.names([spelling for spelling, _ in other], [impressions for _, impressions in other])
    connection.execute(
        "CREATE TEMP TABLE others AS SELECT unnest($1::VARCHAR[]) AS domain, unnest($2::VARCHAR[]) AS other",
        [[spelling for spelling, _ in other], names],
    )


def scoring(sums: str, incomplete: list[str]) -> str:
    """The statement that makes the table of results from the sums of each site.

    Of the columns that may miss cells, the sums hold the impressions of the rows that have one.
    """
    seen = {n: f"nullif({n}_impressions, 0)" if n in incomplete else "impressions" for n in any_report.NUMBERS}
    total = sum(weight for weight, _ in METRICS.values())
    contributions = {m: f"{m}_normalized * {weight} / {total}" for m, (weight, _) in METRICS.items()}
    per_metric = ", ".join(f"{m}, {m}_normalized, {m}_contribution" for m in METRICS)
    return f"""
    CREATE TEMP TABLE results AS
    WITH sums AS ({sums}), metrics AS (
        SELECT domain, impressions, clicks, spend,
               spend / {seen["spend"]} * 1000 AS cpm,
               ias_weighted / {seen["ias"]} AS ias_display_fully_in_view_1s_rate,
               clicks / {seen["clicks"]} AS ctr,
               ad_load_xl / {seen["ad_load_xl"]} AS ad_load_xl_rate,
               ad_refresh / {seen["ad_refresh"]} AS ad_refresh_below_15s_rate
        FROM sums
    ), normalized AS (
        SELECT *, {", ".join(normalized(m, lower) for m, (_, lower) in METRICS.items())} FROM metrics
    ), contributions AS (
        SELECT *, {", ".join(f"{c} AS {m}_contribution" for m, c in contributions.items())} FROM normalized
    ), scores AS (
        SELECT *, {" + ".join(f"{m}_contribution" for m in METRICS)} AS score FROM contributions
    ), percentiles AS (
        SELECT *, (rank() OVER by_score + (count(*) OVER same_score - 1) / 2) / count(*) OVER () * 100 AS percentile
        FROM scores
        WINDOW by_score AS (ORDER BY score), same_score AS (PARTITION BY score)
    )
    SELECT domain, score, percentile, floor(percentile + 0.5)::BIGINT AS percentile_rank,
           CASE WHEN percentile >= 75 THEN 'good' WHEN percentile >= 25 THEN 'moderate' ELSE 'poor' END
               AS quality_status,
           impressions, clicks, spend, {per_metric}
    FROM percentiles
    ORDER BY score DESC, impressions DESC, domain
    """


def write(connection: duckdb.DuckDBPyConnection, out: Path) -> None:
    """results.csv and the two lists of a quarter of the sites each."""
    out.mkdir(parents=True, exist_ok=True)
    best_first = "ORDER BY score DESC, impressions DESC, domain"
    worst_first = "ORDER BY score ASC, impressions DESC, domain"
    (n,) = connection.execute("SELECT count(*) FROM results").fetchone()
    k = max(n // 4, 1) if n >= 2 else 0
    connection.execute(f"COPY (FROM results {best_first}) TO {literal(str(out / 'results.csv'))} (HEADER)")
    for name, order in (("allowlist", best_first), ("blocklist", worst_first)):
        listed = f"SELECT domain FROM results {order} LIMIT {k}"
        connection.execute(f"COPY ({listed}) TO {literal(str(out / f'{name}.txt'))} (FORMAT csv, HEADER false)")


def main() -> None:
    report, out, *flags = sys.argv[1:]
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    if flags == ["--any-report"]:
        incomplete = [name for name in any_report.NUMBERS if name != "impressions"]
        connection.execute(scoring(any_sums(connection, report), incomplete))
    else:
        rows = f"read_csv({literal(report)})" if flags == ["--plain"] else source(report)
        connection.execute(scoring(clean_sums(rows), ["ias"]))
    write(connection, Path(out))
    elapsed = time.perf_counter() - STARTED
    print(json.dumps({"tool": "duckdb", "version": duckdb.__version__, "after_import_s": elapsed}), file=sys.stderr)


if __name__ == "__main__":
    main()
