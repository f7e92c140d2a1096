"""Explanation, changes and what-if of scored fixtures, by numpy and scipy, after the definitions in plain loops.

Reads the rows that an independent implementation scored (crates/caliber-engine/tests/fixtures/*.expected.json) and
writes explain.json beside itself: python explain.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import pearsonr, rankdata, spearmanr

HERE = Path(__file__).parent
FIXTURES = HERE.parents[2] / "caliber-engine" / "tests" / "fixtures"
IAS, LOAD, REFRESH = "ias_display_fully_in_view_1s_rate", "ad_load_xl_rate", "ad_refresh_below_15s_rate"
RECIPES = {
    "ttd_display": {"cpm": -0.15, IAS: 0.25, "ctr": 0.20, LOAD: -0.20, REFRESH: -0.20},
    "ttd_display-blanks": {"cpm": -0.15, IAS: 0.25, "ctr": 0.20, LOAD: -0.20, REFRESH: -0.20},
    "ttd_display-ctr_sensitive": {"cpm": -0.10, IAS: 0.25, "ctr": 0.30, LOAD: -0.15, REFRESH: -0.20},
    "pp_video": {"ecpm": -0.20, "ctr": 0.10, "completion_rate": 0.50, "conversion_rate": 0.20},
    "ttd_ctv": {"tv_quality_index_rate": 0.70, "unique_id_ratio": 0.30},
}


class Run:
    """A scored fixture; a weight below 0 marks a metric of which less is better."""

    def __init__(self, fixture, keep=lambda row: True):
        rows = json.loads((FIXTURES / f"{fixture}.expected.json").read_text())["rows"]
        rows = [row for at, row in enumerate(rows) if keep(at)]
        column = lambda name: np.array([np.nan if row[name] is None else row[name] for row in rows], float)
        self.weights = {m: abs(w) for m, w in RECIPES[fixture].items()}
        self.signs = {m: np.sign(w) for m, w in RECIPES[fixture].items()}
        self.names = [row["entity"] for row in rows]
        self.impressions, self.score = column("impressions"), column("score")
        self.raw = {m: column(m) for m in self.weights}
        self.z = {m: column(f"{m}_normalized") for m in self.weights}
        self.c = {m: self.weights[m] * self.z[m] for m in self.weights}


def statuses(scores):
    percentile = rankdata(np.round(scores, 9)) / len(scores) * 100
    return np.where(percentile >= 75, "good", np.where(percentile >= 25, "moderate", "poor")), percentile


def counterfactual(run, row):
    now = statuses(run.score)[0][row]
    wanted, past = {"poor": ("moderate", 1e-6), "moderate": ("good", 1e-6), "good": ("moderate", -1e-6)}[now]
    reaching = []
    for other in range(len(run.score)):
        moved = run.score.copy()
        moved[row] = run.score[other] + past
        if other != row and statuses(moved)[0][row] == wanted:
            reaching.append(moved[row])
    if not reaching:
        return None
    after = max(reaching) if now == "good" else min(reaching)
    moves = []
    for metric, weight in run.weights.items():
        move = (after - run.score[row]) / weight
        to = run.z[metric][row] + move
        if 0 <= to <= 100:
            moves.append((abs(move), metric, to))
    if not moves:
        return None
    _, metric, to = min(moves, key=lambda move: move[0])
    low, high = np.nanmin(run.raw[metric]), np.nanmax(run.raw[metric])
    part = to / 100 * (high - low)
    return {
        "feature": metric,
        "to": low + part if run.signs[metric] > 0 else high - part,
        "to_normalized": to,
        "score_after": after,
        "quality_status_after": wanted,
    }


def explanation(run):
    phi = {m: c - c.mean() for m, c in run.c.items()}
    correlations = {}
    for metric, raw in run.raw.items():
        there = ~np.isnan(raw)
        correlations[metric] = pearsonr(raw[there], run.score[there]).statistic
    spread = {m: np.nanmax(raw) - np.nanmin(raw) for m, raw in run.raw.items()}
    return {
        "base_value": run.score.mean(),
        "feature_importance": {m: np.abs(values).mean() for m, values in phi.items()},
        "derivatives": {m: run.signs[m] * 100 * w / spread[m] for m, w in run.weights.items()},
        "shap_values": {m: list(values) for m, values in phi.items()},
        "correlations": correlations,
        "counterfactuals": [counterfactual(run, row) for row in range(len(run.names))],
    }


def changes(before, after):
    p0, p1 = before.impressions / before.impressions.sum(), after.impressions / after.impressions.sum()
    s0, s1 = p0 @ before.score, p1 @ after.score
    level = (s0 + s1) / 2
    metrics = dict.fromkeys([*before.weights, *after.weights], 0.0)
    volume = new = gone = improved = 0.0
    points = {}
    for j, name in enumerate(after.names):
        if name not in before.names:
            points[name] = p1[j] * (after.score[j] - level)
            new += points[name]
            continue
        i = before.names.index(name)
        for metric in metrics:
            c0 = before.c[metric][i] if metric in before.c else 0.0
            c1 = after.c[metric][j] if metric in after.c else 0.0
            metrics[metric] += (p0[i] + p1[j]) / 2 * (c1 - c0)
        moved = (p1[j] - p0[i]) * ((before.score[i] + after.score[j]) / 2 - level)
        volume += moved
        points[name] = (p0[i] + p1[j]) / 2 * (after.score[j] - before.score[i]) + moved
        improved += after.score[j] - before.score[i] > 1e-9
    for i, name in enumerate(before.names):
        if name not in after.names:
            points[name] = -p0[i] * (before.score[i] - level)
            gone += points[name]

    def mean(run, metric):
        if metric not in run.raw:
            return None
        there = ~np.isnan(run.raw[metric])
        return np.average(run.raw[metric][there], weights=run.impressions[there])

    return {
        "campaign_score": [s0, s1],
        "points": metrics,
        "means": {m: [mean(before, m), mean(after, m)] for m in metrics},
        "volume": volume,
        "mix": {"same": sum(metrics.values()) + volume, "new": new, "gone": gone},
        "improved": int(improved),
        "score_changes": sorted(points.items(), key=lambda point: (-abs(point[1]), point[0]))[:20],
    }


def what_if(run, weights):
    total = sum(weights.values())
    score = sum(run.z[m] * w / total for m, w in weights.items())
    order = lambda s: sorted(range(len(s)), key=lambda r: (-s[r], -run.impressions[r], run.names[r]))
    worst = lambda s: sorted(range(len(s)), key=lambda r: (s[r], -run.impressions[r], run.names[r]))
    k = len(score) // 4
    lists = {}
    for kind, sort in [("whitelist", order), ("blacklist", worst)]:
        old, new = [[run.names[r] for r in sort(s)[:k]] for s in (run.score, score)]
        lists[kind] = {
            "entered": [name for name in new if name not in old],
            "left": [name for name in old if name not in new],
        }
    status, percentile = statuses(score)
    return {
        "weights": {m: weights.get(m, 0.0) / total for m in run.weights},
        "campaign_score_after": np.average(score, weights=run.impressions),
        "status_counts": {s: int((status == s).sum()) for s in ("good", "moderate", "poor")},
        "status_changed": int((status != statuses(run.score)[0]).sum()),
        "rank_correlation": spearmanr(score, run.score).statistic,
        **lists,
        "rows": [[run.names[r], score[r], percentile[r], status[r]] for r in order(score)],
    }


def main():
    fifth, seventh = lambda row: row % 5 != 0, lambda row: row % 7 != 0
    weights = {"cpm": 3.0, "ctr": 5.0, LOAD: 2.0}
    document = {
        "made_by": {"numpy": np.__version__, "scipy": scipy.__version__},
        "explanations": {f: explanation(Run(f)) for f in ("ttd_display", "ttd_display-blanks", "pp_video", "ttd_ctv")},
        "changes": changes(Run("ttd_display", fifth), Run("ttd_display-ctr_sensitive", seventh)),
        "what_if": {"given": weights, **what_if(Run("ttd_display"), weights)},
    }
    (HERE / "explain.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
