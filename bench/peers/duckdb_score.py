"""Scores a Trade Desk display report (awareness) with DuckDB: one SQL statement over read_csv with the types given,
so that nothing is sniffed and only the needed columns are converted.

python duckdb_score.py REPORT OUTDIR
"""

import csv
import json
import sys
import time
from pathlib import Path

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


def scoring(report: str) -> str:
    """The statement that makes the table of results."""
    total = sum(weight for weight, _ in METRICS.values())
    contributions = {m: f"{m}_normalized * {weight} / {total}" for m, (weight, _) in METRICS.items()}
    per_metric = ", ".join(f"{m}, {m}_normalized, {m}_contribution" for m in METRICS)
    return f"""
    CREATE TEMP TABLE results AS
    WITH sums AS (
        SELECT "Site" AS domain,
               sum("Impressions")::BIGINT AS impressions,
               sum("Clicks")::BIGINT AS clicks,
               sum("Advertiser Cost") AS spend,
               sum("IAS Display Fully In View 1 Second Rate" * "Impressions") AS ias_weighted,
               sum("Impressions") FILTER ("IAS Display Fully In View 1 Second Rate" IS NOT NULL) AS ias_impressions,
               sum("Ad Load - XL (Excessive) - Impressions") AS ad_load_xl,
               sum("Ad Refresh - Below 15s - Impressions") AS ad_refresh
        FROM {source(report)}
        GROUP BY "Site"
        HAVING sum("Impressions") >= {MIN_IMPRESSIONS}
    ), metrics AS (
        SELECT domain, impressions, clicks, spend,
               spend / impressions * 1000 AS cpm,
               ias_weighted / nullif(ias_impressions, 0) AS ias_display_fully_in_view_1s_rate,
               clicks / impressions AS ctr,
               ad_load_xl / impressions AS ad_load_xl_rate,
               ad_refresh / impressions AS ad_refresh_below_15s_rate
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
    report, out = sys.argv[1:3]
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    connection.execute(scoring(report))
    write(connection, Path(out))
    elapsed = time.perf_counter() - STARTED
    print(json.dumps({"tool": "duckdb", "version": duckdb.__version__, "after_import_s": elapsed}), file=sys.stderr)


if __name__ == "__main__":
    main()
