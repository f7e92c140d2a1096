"""Scores a Trade Desk display report (awareness) with pandas, vectorised throughout.

The C parser, given the columns it needs and their types, was the fastest of what pandas offers for this job: the
pyarrow engine takes longer, and so does the C parser with names of type `str`, over a memory map or without a header
row. It reads in parallel only where it parses every column, which is as fast and takes twice the memory.

python pandas_score.py REPORT OUTDIR [--plain | --any-report]

Without a flag the file is known to be clean: these headers, plain numbers, names as they are. With it the rules of
any_report.py hold: the columns are parsed as numbers all the same, and only a file that refuses is parsed as text,
whose cells are converted, and repaired where that failed; names are normalised once for each distinct spelling. With --plain the file is read as it is mostly done, with nothing but its name:
every column, and pandas finds the types.
"""

import json
import sys
import time
from pathlib import Path

import any_report
import numpy as np
import pandas as pd
import pyarrow as pa

STARTED = time.perf_counter()

# Cells as they are spelled.
TEXT = pd.ArrowDtype(pa.string())
COLUMNS = {
    "Site": ("domain", TEXT),
    "Impressions": ("impressions", "int64"),
    "Clicks": ("clicks", "int64"),
    "Advertiser Cost": ("spend", "float64"),
    "IAS Display Fully In View 1 Second Rate": ("ias", "float64"),
    "Ad Load - XL (Excessive) - Impressions": ("ad_load_xl", "int64"),
    "Ad Refresh - Below 15s - Impressions": ("ad_refresh", "int64"),
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


def rolled_up(report: str) -> pd.DataFrame:
    """One row per site with at least MIN_IMPRESSIONS, with its metrics, of a clean file."""
    rows = pd.read_csv(
        report,
        usecols=list(COLUMNS),
        dtype={header: kind for header, (_, kind) in COLUMNS.items()},
        engine="c",
    ).rename(columns={header: name for header, (name, _) in COLUMNS.items()})
    return metrics(by_site(rows, ["ias"]))


def rolled_up_plainly(report: str) -> pd.DataFrame:
    """The same, with nothing said to the reader."""
    rows = pd.read_csv(report).rename(columns={header: name for header, (name, _) in COLUMNS.items()})
    return metrics(by_site(rows[[name for name, _ in COLUMNS.values()]].copy(), ["ias"]))


def by_site(rows: pd.DataFrame, incomplete: list[str]) -> pd.DataFrame:
    """The sums of each site; of the columns that miss cells, also the impressions of the rows that have one."""
    impressions = rows["impressions"].to_numpy()
    for name in incomplete:
        rows[f"{name}_impressions"] = np.where(np.isnan(rows[name].to_numpy()), 0, impressions)
    rows["ias_weighted"] = rows.pop("ias").to_numpy() * impressions
    # The same bytes, but grouped in half the time.
    rows["domain"] = rows["domain"].astype("str")
    return rows.groupby("domain", sort=False).sum()


def metrics(sites: pd.DataFrame) -> pd.DataFrame:
    """The metrics of the sites with at least MIN_IMPRESSIONS."""
    sites = sites[sites["impressions"] >= MIN_IMPRESSIONS]

    def over_impressions(sum: str, name: str) -> pd.Series:
        seen = sites.get(f"{name}_impressions", sites["impressions"])
        return sites[sum] / seen.where(seen != 0)

    return pd.DataFrame(
        {
            "impressions": sites["impressions"],
            "clicks": sites["clicks"],
            "spend": sites["spend"],
            "cpm": over_impressions("spend", "spend") * 1000,
            "ias_display_fully_in_view_1s_rate": over_impressions("ias_weighted", "ias"),
            "ctr": over_impressions("clicks", "clicks"),
            "ad_load_xl_rate": over_impressions("ad_load_xl", "ad_load_xl"),
            "ad_refresh_below_15s_rate": over_impressions("ad_refresh", "ad_refresh"),
        }
    ).reset_index()


def rolled_up_of_any(report: str) -> pd.DataFrame:
    """The same of any report."""
    table = any_report.table(report)
    kinds = {name: kind for name, kind in COLUMNS.values()}
    percent_signs = 0
    try:
        rows = parsed(report, table, kinds)
        if np.isinf(rows[["spend", "ias"]].to_numpy()).any():
            raise ValueError("inf is no figure")
    except ValueError:
        rows, percent_signs = numbers(parsed(report, table, dict.fromkeys(kinds, TEXT)))
        rows = rows[rows["impressions"].notna()].copy()
    ias = rows["ias"].to_numpy()
    if percent_signs == 0:
        present = ~np.isnan(ias)
        above_one = int((np.abs(ias[present]) > 1).sum())
        scale = any_report.scale(table, 0, int((ias[present] != 0).sum()), above_one)
        rows["ias"] = ias / scale
    incomplete = [name for name in any_report.NUMBERS if name != "impressions" and rows[name].hasnans]
    return metrics(named(by_site(rows, incomplete)))


def parsed(report: str, table: any_report.Table, kinds: dict[str, str]) -> pd.DataFrame:
    """The columns of a report, the cells of each as one kind; only a blank cell is missing."""
    at = sorted((position, name) for name, position in table.columns.items())
    return pd.read_csv(
        report,
        sep=table.delimiter,
        header=0,
        skiprows=table.skip,
        usecols=[position for position, _ in at],
        names=[name for _, name in at],
        dtype=kinds,
        index_col=False,
        keep_default_na=False,
        na_values={name: [""] for name in kinds},
        engine="c",
    )


def numbers(texts: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The cells as numbers, missing where they are none, and how many of the rate carry a percent sign.

    Only the distinct cells of a column are read: there are thousands of them in a million rows.
    """
    codes, cells, counts = {}, {}, {}
    for name in any_report.NUMBERS:
        codes[name], distinct = pd.factorize(texts[name])
        cells[name] = pd.Series(distinct)
        times = np.bincount(codes[name] + 1, minlength=len(distinct) + 1)[1:]
        speak = (cells[name].str.contains(form).to_numpy(bool) for form in (any_report.POINT, any_report.COMMA))
        counts[name] = tuple(int(times[cells].sum()) for cells in speak)
    commas = any_report.comma_columns(counts)
    percent = cells["ias"].str.contains("%", regex=False).to_numpy(bool)
    columns = {}
    for name, distinct in cells.items():
        if name in commas:
            distinct = distinct.str.replace(".", "\x01", regex=False).str.replace(",", ".", regex=False)
            distinct = distinct.str.replace("\x01", ",", regex=False)
        values = read(distinct, is_rate=name == "ias")
        if name == "ias" and percent.any():
            values[~percent] /= 100
        # The code of a missing cell is -1.
        columns[name] = np.append(values, np.nan)[codes[name]]
    percent_signs = int(np.append(percent, False)[codes["ias"]].sum())
    return pd.DataFrame({"domain": texts["domain"], **columns}), percent_signs


def read(cells: pd.Series, is_rate: bool) -> np.ndarray:
    """Numbers by conversion, and by pattern where that fails."""
    values = pd.to_numeric(cells, errors="coerce").to_numpy("float64", na_value=np.nan).copy()
    refused = np.isnan(values)
    if refused.any():
        text = cells[refused].str.replace(any_report.BLANKS, " ", regex=True).str.strip(" ")
        digits = pd.to_numeric(text.str.replace(any_report.NO_DIGIT, "", regex=True), errors="coerce")
        digits = digits.to_numpy("float64", na_value=np.nan)
        sign = np.where(text.str.contains(any_report.NEGATIVE), -1.0, 1.0)
        percent = text.str.contains("%", regex=False).to_numpy(bool)
        share = np.where(percent, digits / 100 if is_rate else np.nan, digits)
        values[refused] = np.where(text.str.contains(any_report.NUMBER), share * sign, np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def named(sites: pd.DataFrame) -> pd.DataFrame:
    """The sums by normalised name, those that name nobody left out."""
    spellings = sites.index.to_series()
    name = spellings.str.lower().str.extract(any_report.HOST, expand=False)
    other = (name.isna() | name.isin(any_report.NOT_HOSTS)).to_numpy()
    names = any_report.names(spellings[other].to_list(), sites["impressions"][other].to_list())
    name[other] = pd.array(names, dtype="str")
    return sites.groupby(name.rename("domain").to_numpy(), sort=False).sum().rename_axis("domain")


def normalized(x: np.ndarray, lower_is_better: bool) -> np.ndarray:
    """Min-max to 0-100; all equal gives 50, missing gives 0."""
    present = ~np.isnan(x)
    if not present.any():
        return np.zeros_like(x)
    low, high = x[present].min(), x[present].max()
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        return np.where(present, 50.0, 0.0)
    scaled = (high - x if lower_is_better else x - low) / (high - low) * 100
    return np.where(present, scaled, 0.0).clip(0.0, 100.0)


def scored(sites: pd.DataFrame) -> pd.DataFrame:
    """The sites with normalised metrics, contributions, score, percentile and status, best first."""
    total = sum(weight for weight, _ in METRICS.values())
    score = np.zeros(len(sites))
    for metric, (weight, lower) in METRICS.items():
        values = normalized(sites[metric].to_numpy(), lower)
        sites[f"{metric}_normalized"] = values
        sites[f"{metric}_contribution"] = contribution = values * weight / total
        score += contribution
    sites["score"] = score
    percentile = (sites["score"].rank(method="average") / len(sites) * 100).to_numpy()
    sites["percentile"] = percentile
    sites["percentile_rank"] = np.floor(percentile + 0.5).astype(np.int64)
    sites["quality_status"] = np.where(percentile >= 75, "good", np.where(percentile >= 25, "moderate", "poor"))
    return sites.sort_values(["score", "impressions", "domain"], ascending=[False, False, True])


def write(results: pd.DataFrame, out: Path) -> None:
    """results.csv and the two lists of a quarter of the sites each."""
    out.mkdir(parents=True, exist_ok=True)
    per_metric = [column for m in METRICS for column in (m, f"{m}_normalized", f"{m}_contribution")]
    columns = ["domain", "score", "percentile", "percentile_rank", "quality_status", "impressions", "clicks", "spend"]
    results[columns + per_metric].to_csv(out / "results.csv", index=False)
    n = len(results)
    k = max(n // 4, 1) if n >= 2 else 0
    worst_first = results.sort_values(["score", "impressions", "domain"], ascending=[True, False, True])
    for name, frame in (("allowlist", results), ("blocklist", worst_first)):
        frame["domain"].head(k).to_csv(out / f"{name}.txt", index=False, header=False)


def main() -> None:
    report, out, *flags = sys.argv[1:]
    roll_up = {"--any-report": rolled_up_of_any, "--plain": rolled_up_plainly}.get("".join(flags), rolled_up)
    write(scored(roll_up(report)), Path(out))
    elapsed = time.perf_counter() - STARTED
    print(json.dumps({"tool": "pandas", "version": pd.__version__, "after_import_s": elapsed}), file=sys.stderr)


if __name__ == "__main__":
    main()
