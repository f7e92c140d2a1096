"""Scores a Trade Desk display report (awareness) with Polars: lazy scan, only the needed columns, streaming engine.

python polars_score.py REPORT OUTDIR
"""

import json
import sys
import time
from pathlib import Path

import polars as pl

STARTED = time.perf_counter()

COLUMNS = {
    "Site": ("domain", pl.String),
    "Impressions": ("impressions", pl.Int64),
    "Clicks": ("clicks", pl.Int64),
    "Advertiser Cost": ("spend", pl.Float64),
    "IAS Display Fully In View 1 Second Rate": ("ias", pl.Float64),
    "Ad Load - XL (Excessive) - Impressions": ("ad_load_xl", pl.Int64),
    "Ad Refresh - Below 15s - Impressions": ("ad_refresh", pl.Int64),
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


def rolled_up(report: str) -> pl.DataFrame:
    """One row per site with at least MIN_IMPRESSIONS, with its metrics."""
    impressions = pl.col("impressions")
    sums = (
        pl.scan_csv(
            report,
            infer_schema=False,
            schema_overrides={header: kind for header, (_, kind) in COLUMNS.items()},
        )
        .select(pl.col(header).alias(name) for header, (name, _) in COLUMNS.items())
        .group_by("domain")
        .agg(
            impressions.sum(),
            pl.col("clicks", "spend", "ad_load_xl", "ad_refresh").sum(),
            (pl.col("ias") * impressions).sum().alias("ias_weighted"),
            pl.when(pl.col("ias").is_not_null()).then(impressions).sum().alias("ias_impressions"),
        )
        .filter(impressions >= MIN_IMPRESSIONS)
    )
    return sums.select(
        "domain",
        "impressions",
        "clicks",
        "spend",
        (pl.col("spend") / impressions * 1000).alias("cpm"),
        pl.when(pl.col("ias_impressions") > 0)
        .then(pl.col("ias_weighted") / pl.col("ias_impressions"))
        .alias("ias_display_fully_in_view_1s_rate"),
        (pl.col("clicks") / impressions).alias("ctr"),
        (pl.col("ad_load_xl") / impressions).alias("ad_load_xl_rate"),
        (pl.col("ad_refresh") / impressions).alias("ad_refresh_below_15s_rate"),
    ).collect(engine="streaming")


def normalized(metric: str, lower_is_better: bool) -> pl.Expr:
    """Min-max to 0-100; all equal gives 50, missing gives 0."""
    x = pl.col(metric)
    span = x.max() - x.min()
    distance = x.max() - x if lower_is_better else x - x.min()
    equal = span <= 1e-12 * pl.max_horizontal(x.min().abs(), x.max().abs())
    scaled = pl.when(equal & x.is_not_null()).then(50.0).otherwise(distance / span * 100)
    return scaled.fill_null(0.0).clip(0.0, 100.0).alias(f"{metric}_normalized")


def scored(sites: pl.DataFrame) -> pl.DataFrame:
    """The sites with normalised metrics, contributions, score, percentile and status, best first."""
    total = sum(weight for weight, _ in METRICS.values())
    score = pl.col("score")
    percentile = score.rank("average") / pl.len() * 100
    return (
        sites.with_columns(normalized(metric, lower) for metric, (_, lower) in METRICS.items())
        .with_columns(
            (pl.col(f"{metric}_normalized") * weight / total).alias(f"{metric}_contribution")
            for metric, (weight, _) in METRICS.items()
        )
        .with_columns(score=pl.sum_horizontal(f"{metric}_contribution" for metric in METRICS))
        .with_columns(percentile=percentile)
        .with_columns(
            percentile_rank=(pl.col("percentile") + 0.5).floor().cast(pl.Int64),
            quality_status=pl.when(pl.col("percentile") >= 75)
            .then(pl.lit("good"))
            .when(pl.col("percentile") >= 25)
            .then(pl.lit("moderate"))
            .otherwise(pl.lit("poor")),
        )
        .sort("score", "impressions", "domain", descending=[True, True, False])
    )


def write(results: pl.DataFrame, out: Path) -> None:
    """results.csv and the two lists of a quarter of the sites each."""
    out.mkdir(parents=True, exist_ok=True)
    per_metric = [column for m in METRICS for column in (m, f"{m}_normalized", f"{m}_contribution")]
    results.select(
        "domain",
        "score",
        "percentile",
        "percentile_rank",
        "quality_status",
        "impressions",
        "clicks",
        "spend",
        *per_metric,
    ).write_csv(out / "results.csv")
    n = results.height
    k = max(n // 4, 1) if n >= 2 else 0
    worst_first = results.sort("score", "impressions", "domain", descending=[False, True, False])
    for name, frame in (("allowlist", results), ("blocklist", worst_first)):
        frame.head(k).select("domain").write_csv(out / f"{name}.txt", include_header=False)


def main() -> None:
    report, out = sys.argv[1:3]
    write(scored(rolled_up(report)), Path(out))
    elapsed = time.perf_counter() - STARTED
    print(json.dumps({"tool": "polars", "version": pl.__version__, "after_import_s": elapsed}), file=sys.stderr)


if __name__ == "__main__":
    main()
