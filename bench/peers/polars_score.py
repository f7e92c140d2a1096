"""Scores a Trade Desk display report (awareness) with Polars: lazy scan, only the needed columns, streaming engine.

python polars_score.py REPORT OUTDIR [--plain | --any-report]

Without a flag the file is known to be clean: these headers, plain numbers, names as they are. With it the rules of
any_report.py hold: the columns are scanned as numbers all the same, and only a file that refuses is read as text,
whose cells are cast, and repaired where the cast failed; names are normalised once for each distinct spelling. With --plain
the file is scanned as it is mostly done, with nothing but its name: Polars finds the types, on the engine it takes itself.
"""

import json
import sys
import time
from pathlib import Path

import any_report
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
    """One row per site with at least MIN_IMPRESSIONS, with its metrics, of a clean file."""
    rows = pl.scan_csv(
        report,
        infer_schema=False,
        schema_overrides={header: kind for header, (_, kind) in COLUMNS.items()},
    ).select(pl.col(header).alias(name) for header, (name, _) in COLUMNS.items())
    return metrics(by_site(rows, ["ias"])).collect(engine="streaming")


def rolled_up_plainly(report: str) -> pl.DataFrame:
    """The same, with nothing said to the reader."""
    rows = pl.scan_csv(report).select(pl.col(header).alias(name) for header, (name, _) in COLUMNS.items())
    return metrics(by_site(rows, ["ias"])).collect()


def by_site(rows: pl.LazyFrame, incomplete: list[str]) -> pl.LazyFrame:
    """The sums of each site; of the columns that may miss cells, also the impressions of the rows that have one."""
    impressions = pl.col("impressions")
    return rows.group_by("domain").agg(
        impressions.sum(),
        pl.col("clicks", "spend", "ad_load_xl", "ad_refresh").sum(),
        (pl.col("ias") * impressions).sum().alias("ias_weighted"),
        *(
            pl.when(pl.col(name).is_not_null()).then(impressions).sum().alias(f"{name}_impressions")
            for name in incomplete
        ),
        *([] if incomplete == ["ias"] else SCALE_FACTS),
    )


# What tells whether a rate is in percent.
SCALE_FACTS = [(pl.col("ias") != 0).sum().alias("nonzero"), (pl.col("ias").abs() > 1).sum().alias("above_one")]


def metrics(sums: pl.LazyFrame) -> pl.LazyFrame:
    """The metrics of the sites with at least MIN_IMPRESSIONS."""
    known = sums.collect_schema().names()

    def over_impressions(sum: str, name: str) -> pl.Expr:
        seen = pl.col(f"{name}_impressions" if f"{name}_impressions" in known else "impressions")
        return pl.when(seen != 0).then(pl.col(sum) / seen)

    return sums.filter(pl.col("impressions") >= MIN_IMPRESSIONS).select(
        "domain",
        "impressions",
        "clicks",
        "spend",
        (over_impressions("spend", "spend") * 1000).alias("cpm"),
        over_impressions("ias_weighted", "ias").alias("ias_display_fully_in_view_1s_rate"),
        over_impressions("clicks", "clicks").alias("ctr"),
        over_impressions("ad_load_xl", "ad_load_xl").alias("ad_load_xl_rate"),
        over_impressions("ad_refresh", "ad_refresh").alias("ad_refresh_below_15s_rate"),
    )


def rolled_up_of_any(report: str) -> pl.DataFrame:
    """The same of any report."""
    table = any_report.table(report)
    incomplete = [name for name in any_report.NUMBERS if name != "impressions"]
    kinds = {name: kind for name, kind in COLUMNS.values()}
    percent_signs = 0
    try:
        rows = scanned(report, table, kinds).filter(pl.col("impressions").is_not_null())
        sums = by_site(rows, incomplete).collect(engine="streaming")
        if not sums.select(pl.sum_horizontal(pl.col(pl.Float64).is_finite().not_().any())).item() == 0:
            raise pl.exceptions.ComputeError("inf and nan are no figures")
    except pl.exceptions.ComputeError:
        texts = scanned(report, table, dict.fromkeys(kinds, pl.String)).collect(engine="streaming")
        rows, percent_signs = numbers(texts)
        sums = by_site(rows.filter(pl.col("impressions").is_not_null()), incomplete).collect()
    scale = any_report.scale(table, percent_signs, sums["nonzero"].sum(), sums["above_one"].sum())
    if percent_signs == 0:
        sums = sums.with_columns(pl.col("ias_weighted") / scale)
    return metrics(named(sums).lazy()).collect()


def scanned(report: str, table: any_report.Table, kinds: dict[str, pl.DataType]) -> pl.LazyFrame:
    """The columns of a report, the cells of each as one kind."""
    at = {f"column_{position + 1}": name for name, position in table.columns.items()}
    return pl.scan_csv(
        report,
        separator=table.delimiter,
        has_header=False,
        skip_lines=table.skip + 1,
        infer_schema=False,
        schema={header: kinds[at[header]] if header in at else pl.String for header in headers(table)},
        truncate_ragged_lines=True,
    ).select(pl.col(header).alias(name) for header, name in at.items())


def headers(table: any_report.Table) -> list[str]:
    """Names for columns that may share one."""
    return [f"column_{position + 1}" for position in range(table.width)]


def numbers(texts: pl.DataFrame) -> tuple[pl.LazyFrame, int]:
    """The cells as numbers, missing where they are none, and how many of the rate carry a percent sign.

    Only the distinct cells of a column are read by pattern: there are thousands of them in a million rows.
    """
    cells = dict(zip(any_report.NUMBERS, pl.collect_all(
        texts.lazy().select(cell=name).drop_nulls().group_by("cell").len() for name in any_report.NUMBERS
    )))
    commas = any_report.comma_columns({
        name: tuple(
            distinct.filter(pl.col("cell").str.contains(form))["len"].sum()
            for form in (any_report.POINT, any_report.COMMA)
        )
        for name, distinct in cells.items()
    })
    percent = pl.col("cell").str.contains("%", literal=True)
    percent_signs = cells["ias"].filter(percent)["len"].sum()
    columns = []
    for name, distinct in cells.items():
        if name in commas:
            swapped = pl.col("swapped")
            for old, new in ((".", "\x01"), (",", "."), ("\x01", ",")):
                swapped = swapped.str.replace_all(old, new, literal=True)
            distinct = distinct.with_columns(swapped=pl.col("cell")).with_columns(swapped)
        value = number(pl.col("swapped" if name in commas else "cell"), is_rate=name == "ias")
        if name == "ias" and percent_signs > 0:
            value = value / pl.when(percent).then(1).otherwise(100)
        read = distinct.with_columns(value=value, cast=pl.col("cell").cast(pl.Float64, strict=False))
        if read.select(pl.col("cast").eq_missing(pl.col("value")).all()).item():
            columns.append(pl.col(name).cast(pl.Float64, strict=False))
        else:
            columns.append(
                pl.col(name).replace_strict(read["cell"], read["value"], default=None, return_dtype=pl.Float64)
            )
    return texts.lazy().with_columns(columns), percent_signs


def number(cell: pl.Expr, is_rate: bool) -> pl.Expr:
    """A number by a cast, and by pattern where that fails."""
    text = cell.str.replace_all(any_report.BLANKS, " ").str.strip_chars(" ")
    digits = text.str.replace_all(any_report.NO_DIGIT, "").cast(pl.Float64, strict=False)
    sign = pl.when(text.str.contains(any_report.NEGATIVE)).then(-1).otherwise(1)
    percent = text.str.contains("%", literal=True)
    share = pl.when(percent).then(digits / 100 if is_rate else None).otherwise(digits) * sign
    by_pattern = pl.when(text.str.contains(any_report.NUMBER)).then(share)
    value = cell.cast(pl.Float64, strict=False).fill_null(by_pattern)
    return pl.when(value.is_finite()).then(value)


def named(sums: pl.DataFrame) -> pl.DataFrame:
    """The sums by normalised name, those that name nobody left out."""
    spelling = pl.col("domain")
    host = spelling.str.to_lowercase().str.extract(any_report.HOST)
    sums = sums.with_columns(name=pl.when(~host.is_in(any_report.NOT_HOSTS)).then(host))
    other = sums.filter(pl.col("name").is_null()).select("domain", "impressions")
    names = any_report.names(other["domain"].to_list(), other["impressions"].to_list())
    others = pl.DataFrame({"domain": other["domain"], "other": names}, schema_overrides={"other": pl.String})
    return (
        sums.join(others, on="domain", how="left")
        .with_columns(domain=pl.coalesce("name", "other"))
        .drop("name", "other")
        .drop_nulls("domain")
        .group_by("domain")
        .sum()
    )


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
    report, out, *flags = sys.argv[1:]
    roll_up = {"--any-report": rolled_up_of_any, "--plain": rolled_up_plainly}.get("".join(flags), rolled_up)
    write(scored(roll_up(report)), Path(out))
    elapsed = time.perf_counter() - STARTED
    print(json.dumps({"tool": "polars", "version": pl.__version__, "after_import_s": elapsed}), file=sys.stderr)


if __name__ == "__main__":
    main()
