"""The figures that tests/evidence_reference.rs compares the engine with, from the formulas of docs/statistics.md alone.

    python evidence.py                     writes the .json beside every .csv of ./evidence
    python evidence.py --check             compares the closed forms with quadrature first
    python evidence.py --sample CALIBER    writes the .csv with this `caliber` before

Needs numpy, scipy and pandas. Nothing here calls the engine.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import scipy
from scipy import optimize, special

# The shares: numerator and denominator columns; with no count of them, the reported rate over impressions.
SHARES = {
    "ctr": (["Clicks"], "Impressions", ["CTR"]),
    "conversion_rate": (
        ["All Last Click + View Conversions", "Conversions"], "Impressions", ["All Last Click + View Conversion Rate"],
    ),
    "ias_display_fully_in_view_1s_rate": ([], "Impressions", ["IAS Display Fully In View 1 Second Rate"]),
    "ad_load_xl_rate": (["Ad Load - XL (Excessive) - Impressions"], "Impressions", []),
    "ad_refresh_below_15s_rate": (["Ad Refresh - Below 15s - Impressions"], "Impressions", []),
    "sampled_in_view_rate": (["Sampled Viewed Impressions"], "Sampled Tracked Impressions", ["Sampled In-View Rate"]),
    "player_completion_rate": (["Player Completed Views"], "Player Starts", ["Player Completion Rate"]),
    "player_errors_rate": (["Player Errors"], "Impressions", []),
    "player_mute_rate": (["Player Mute"], "Impressions", []),
}
SPEND = ["Advertiser Cost", "Total Spend"]

# Metric: weight, whether lower is better.
RECIPES = {
    "trade_desk-display-awareness": {
        "cpm": (0.15, True), "ias_display_fully_in_view_1s_rate": (0.25, False), "ctr": (0.20, False),
        "ad_load_xl_rate": (0.20, True), "ad_refresh_below_15s_rate": (0.20, True),
    },
    "trade_desk-display-action": {
        "cpm": (0.10, True), "ias_display_fully_in_view_1s_rate": (0.10, False), "conversion_rate": (0.30, False),
        "ctr": (0.15, False), "ad_load_xl_rate": (0.15, True), "ad_refresh_below_15s_rate": (0.20, True),
    },
    "trade_desk-video": {
        "cpm": (0.10, True), "sampled_in_view_rate": (0.20, False), "player_completion_rate": (0.35, False),
        "player_errors_rate": (0.20, True), "player_mute_rate": (0.15, True),
    },
    "pulsepoint-display-action": {"ecpm": (0.15, True), "ctr": (0.25, False), "conversion_rate": (0.60, False)},
}
MINIMUM, MINIMUM_SHARE = 250, {"pulsepoint": 0.0005}
IN_VIEW = ["ias_display_fully_in_view_1s_rate", "sampled_in_view_rate", "player_completion_rate"]


def roll_up(frame, platform):
    """Sums per domain: impressions, spend, and of each share x, n and what row noise needs."""
    name = "Site" if "Site" in frame else "Domain"
    impressions = frame["Impressions"].to_numpy(float)
    spend = frame[next(column for column in SPEND if column in frame)].to_numpy(float)
    codes, names = pd.factorize(frame[name].str.strip(), sort=True)
    def total(values):
        return np.bincount(codes, weights=np.nan_to_num(values), minlength=len(names))
    both = ~np.isnan(impressions) & ~np.isnan(spend)
    rolled = {
        "names": np.array(names), "impressions": total(impressions), "spend": total(spend),
        "cpm": ratio(total(np.where(both, spend, 0)), total(np.where(both, impressions, 0))) * 1000, "shares": {},
    }
    rolled["ecpm"] = rolled["cpm"]
    for metric, (counts, trials, rates) in SHARES.items():
        column = next((c for c in counts if c in frame and trials in frame), None)
        rate = next((c for c in rates if c in frame), None)
        if column:
            x, n = frame[column].to_numpy(float), frame[trials].to_numpy(float)
        elif rate:
            n = impressions
            x = frame[rate].to_numpy(float) * n
        else:
            continue
        present = ~np.isnan(x) & ~np.isnan(n)
        x, n = np.where(present, x, 0), np.where(present, n, 0)
        some = n > 0
        square = np.divide(x * x, n, out=np.zeros_like(x), where=some)
        rolled["shares"][metric] = {
            "value": ratio(total(x), total(n)),
            "X": total(np.where(some, x, 0)), "N": total(np.where(some, n, 0)), "Q": total(square),
            "S2": total(np.where(some, n * n, 0)), "R": total(some.astype(float)),
        }
    least = max(MINIMUM, MINIMUM_SHARE.get(platform, 0) * rolled["impressions"].sum())
    return keep(rolled, rolled["impressions"] >= least)


def keep(rolled, rows):
    if isinstance(rolled, dict):
        return {key: keep(value, rows) for key, value in rolled.items()}
    return rolled[rows]


def ratio(x, n):
    return np.divide(x, n, out=np.full(len(x), np.nan), where=n != 0)


def effective(sums):
    """rho, x_eff and n_eff of one share (evidence, 1.2)."""
    X, N, Q, S2, R = (sums[key] for key in ("X", "N", "Q", "S2", "R"))
    p = ratio(X, N)
    use = (R >= 2) & (p > 0) & (p < 1)
    rho, known = 0.0, int(use.sum()) >= 10
    if known:
        X, N, Q, S2, R, share = (column[use] for column in (X, N, Q, S2, R, p))
        above = ((Q - N * share**2) / (share * (1 - share)) - (R - 1)).sum()
        below = ((N - R) - (S2 - N) / N).sum()
        rho = max(0.0, above / below) if below > 0 else 0.0
    N, S2 = sums["N"], sums["S2"]
    n = np.divide(N * N, N + rho * (S2 - N), out=np.zeros_like(N), where=N > 0)
    return rho, known, np.where(N > 0, np.nan_to_num(p) * n, 0.0), n


def log_rising(a, x):
    """ln Gamma(a + x) / Gamma(a), without the cancellation of two large logarithms."""
    if a < 1e5:
        return special.gammaln(a + x) - special.gammaln(a)
    def tail(z):
        return 1 / (12 * z) - 1 / (360 * z**3)
    return (a - 0.5) * np.log1p(x / a) + x * np.log(a + x) - x + tail(a + x) - tail(a)


def prior(x, n):
    """Beta(a, b) of greatest beta-binomial likelihood (evidence, 1.3)."""
    x, n = x[n > 0], n[n > 0]
    x = np.clip(x, 0, n)
    if x.sum() <= 0:
        return 0.5, 0.5 + n.sum()
    def shape(theta):
        mean, size = special.expit(theta[0]), np.exp(np.clip(theta[1], -2, 18))
        return mean * size, special.expit(-theta[0]) * size
    def cost(theta):
        a, b = shape(theta)
        return -(log_rising(a, x) + log_rising(b, n - x) - log_rising(a + b, n)).sum()
    def slope(theta):
        a, b = shape(theta)
        both = special.digamma(a + b) - special.digamma(a + b + n)
        to_a = (special.digamma(a + x) - special.digamma(a) + both).sum()
        to_b = (special.digamma(b + n - x) - special.digamma(b) + both).sum()
        mean = a / (a + b)
        return -np.array([(a + b) * mean * (1 - mean) * (to_a - to_b), a * to_a + b * to_b])
    centre = special.logit(np.clip(x.sum() / n.sum(), 1e-9, 1 - 1e-9))
    bounds = [(centre - 12, centre + 12), (-2, 18)]
    found = []
    for size in (1.0, 4.0, 7.0, 10.0, 14.0):
        start = optimize.minimize(cost, [centre, size], jac=slope, method="L-BFGS-B", bounds=bounds)
        found.append(start)
    best = min(found, key=lambda f: f.fun)
    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 2000}
    best = optimize.minimize(cost, best.x, method="Nelder-Mead", bounds=bounds, options=options)
    return tuple(float(v) for v in shape(best.x))


def moments(a, b, lo, hi, lower):
    """Mean, variance, third central moment of y under Beta(a, b) (evidence, 1.4 and 1.6), one entry a row."""
    if hi - lo <= 1e-12 * max(abs(lo), abs(hi)):
        return np.full(len(a), 50.0), np.zeros(len(a)), np.zeros(len(a))
    if hi - lo < 0.05 * hi:
        return moments_by_quadrature(a, b, lo, hi, lower)
    below = [special.betainc(a + j, b, lo) for j in range(4)]
    upto = [special.betainc(a + j, b, hi) for j in range(4)]
    raw = [np.ones_like(a)]
    for j in range(3):
        raw.append(raw[-1] * (a + j) / (a + b + j))
    within = [raw[j] * (upto[j] - below[j]) for j in range(4)]
    width, above = hi - lo, 1 - upto[0]
    m1 = (within[1] - lo * within[0]) / width + above
    m2 = (within[2] - 2 * lo * within[1] + lo**2 * within[0]) / width**2 + above
    m3 = (within[3] - 3 * lo * within[2] + 3 * lo**2 * within[1] - lo**3 * within[0]) / width**3 + above
    variance = np.maximum(m2 - m1**2, 0)
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    sign = -1 if lower else 1
    return 100 * (1 - m1 if lower else m1), 1e4 * variance, sign * 1e6 * third


def moments_by_quadrature(a, b, lo, hi, lower):
    """The same, where the closed form loses its digits: E[u^k] = k * integral of u^(k-1) P(U > u)."""
    panels = np.arange(64) / 64
    nodes, weights = np.polynomial.legendre.leggauss(16)
    u = (panels[:, None] + (nodes + 1) / 128).ravel()
    w = np.tile(weights / 128, len(panels))
    tail = special.betaincc(a[:, None], b[:, None], lo + u * (hi - lo))
    if lower:
        tail, u = 1 - tail, 1 - u
    m1, m2, m3 = ((k * w * u ** (k - 1) * tail).sum(axis=1) for k in (1, 2, 3))
    return 100 * m1, 1e4 * np.maximum(m2 - m1**2, 0), 1e6 * (m3 - 3 * m1 * m2 + 2 * m1**3)


def below(t, mu, sd, skew):
    """P(score < t) by Pearson III with these moments; skew is k3 / sd³ before clipping."""
    mu, sd, skew = np.broadcast_arrays(mu, sd, skew)
    g = np.clip(skew, -1.9, 1.9)
    safe = np.where(sd > 0, sd, 1)
    z = (t - mu) / safe
    flat = np.abs(g) < 0.001
    k = 4 / np.where(flat, 1, g) ** 2
    y = np.maximum(0, k + z * np.sqrt(k) * np.sign(g))
    p = np.where(flat, special.ndtr(z), np.where(g > 0, special.gammainc(k, y), special.gammaincc(k, y)))
    return np.where(sd > 0, p, (mu < t) * 1.0)


def quantile(p, mu, sd, skew):
    """The score below which a share p of the same law lies."""
    g = np.clip(skew, -1.9, 1.9)
    flat = np.abs(g) < 0.001
    k = 4 / np.where(flat, 1, g) ** 2
    y = np.where(g > 0, special.gammaincinv(k, p), special.gammainccinv(k, p))
    z = np.where(flat, special.ndtri(p), (y - k) / np.sqrt(k) * np.sign(g))
    return mu + sd * z


def median_of(mu, sd, skew):
    ends = (min(mu.min(), 0) - 1, max(mu.max(), 100) + 1)
    return optimize.brentq(lambda t: below(t, mu, sd, skew).mean() - 0.5, *ends, xtol=1e-12)


class Evidence:
    """Everything of evidence.md 1 and 2 about one rolled-up report."""

    THRESHOLD, SHARE = 0.95, 0.25

    def __init__(self, rolled, recipe, fit=prior):
        self.rolled, self.recipe, self.fit = rolled, recipe, fit
        self.rows = len(rolled["names"])
        total = sum(weight for weight, _ in recipe.values())
        self.metrics = {}
        for metric, (weight, lower) in recipe.items():
            entry = {"weight": weight / total, "lower": lower}
            if metric in rolled["shares"]:
                entry |= self.share(rolled["shares"][metric], fit)
            else:
                values = rolled[metric]
                present = values[~np.isnan(values)]
                entry |= {"values": values, "lo": np.quantile(present, 0.01), "hi": np.quantile(present, 0.99)}
            self.metrics[metric] = entry
        self.score()
        self.decide()

    @staticmethod
    def share(sums, fit):
        rho, known, x, n = effective(sums)
        a, b = fit(x, n)
        lo, hi = special.betaincinv(a, b, [0.01, 0.99])
        x = np.clip(x, 0, n)
        return {"rho": rho, "rho_known": known, "x": x, "n": n, "a": a, "b": b, "lo": float(lo), "hi": float(hi),
                "post_a": a + x, "post_b": b + n - x, "mean": (a + x) / (a + b + n), "values": sums["value"]}

    def metric_moments(self, entry, factor=1.0, rows=slice(None)):
        """Of y; with more counts at the posterior means where a factor is given."""
        if "post_a" in entry:
            size = entry["a"] + entry["b"] + factor * entry["n"][rows]
            mean = entry["mean"][rows]
            return moments(mean * size, (1 - mean) * size, entry["lo"], entry["hi"], entry["lower"])
        y = scaled(entry["values"][rows], entry)
        return y, np.zeros(len(y)), np.zeros(len(y))

    def combined(self, factor=1.0, rows=slice(None)):
        mu = variance = third = 0.0
        for entry in self.metrics.values():
            w = entry["weight"]
            m, v, k = self.metric_moments(entry, factor, rows)
            mu, variance, third = mu + w * m, variance + w * w * v, third + w**3 * k
        sd = np.sqrt(variance)
        return mu, sd, np.divide(third, sd**3, out=np.zeros_like(third), where=sd > 0)

    def score(self):
        self.mu, self.sd, self.skew = self.combined()
        self.median = median_of(self.mu, self.sd, self.skew)
        self.p_below = below(self.median, self.mu, self.sd, self.skew)
        self.p_above = 1 - self.p_below
        self.low, self.high = (quantile(p, self.mu, self.sd, self.skew) for p in (0.05, 0.95))

    def decide(self):
        names, impressions = self.rolled["names"], self.rolled["impressions"]
        k = int(np.floor(self.rows * self.SHARE + 1e-9))
        worst = sorted(range(self.rows), key=lambda i: (self.mu[i], -impressions[i], names[i]))[:k]
        best = sorted(range(self.rows), key=lambda i: (-self.mu[i], -impressions[i], names[i]))[:k]
        self.worst, self.best = np.isin(np.arange(self.rows), worst), np.isin(np.arange(self.rows), best)
        self.patterns, self.possible = self.find_patterns()
        marked = np.array([bool(p) for p in self.patterns]) | self.ctr_outlier()
        self.block = [i for i in worst if self.p_below[i] >= self.THRESHOLD]
        self.allow = [i for i in best if self.p_above[i] >= self.THRESHOLD and not marked[i]]

    def ctr_outlier(self):
        if "ctr" not in self.recipe:
            return np.zeros(self.rows, bool)
        values = self.rolled["shares"]["ctr"]["value"] if "ctr" in self.rolled["shares"] else np.full(self.rows, np.nan)
        q1, q3 = np.nanquantile(values, [0.25, 0.75])
        return (values < q1 - 1.5 * (q3 - q1)) | (values > q3 + 1.5 * (q3 - q1))

    def posterior(self, metric):
        """The posterior of a share of the recipe or, of clicks and conversions, of the report; or None."""
        if metric in self.metrics:
            return self.metrics[metric]
        if metric not in ("ctr", "conversion_rate") or metric not in self.rolled["shares"]:
            return None
        return self.share(self.rolled["shares"][metric], self.fit)

    def beyond(self, metric, level, above):
        """Whether the share lies beyond a quantile of the posterior means, with probability 0.8 or more."""
        entry = self.posterior(metric)
        if entry is None:
            return None
        cut = np.quantile(entry["mean"], level)
        p = special.betainc(entry["post_a"], entry["post_b"], cut)
        return (1 - p if above else p) >= 0.8

    def find_patterns(self):
        cpm = self.rolled["cpm"]
        signs = {"cpm": cpm < np.nanquantile(cpm, 0.25)}
        seen = [sign for sign in (self.beyond(metric, 0.75, True) for metric in IN_VIEW) if sign is not None]
        if seen:
            signs["in_view_or_completion"] = np.any(seen, axis=0)
        for name, metric, level, above in (
            ("ad_load", "ad_load_xl_rate", 0.75, True),
            ("ad_refresh", "ad_refresh_below_15s_rate", 0.75, True),
            ("conversion_rate", "conversion_rate", 0.25, False),
        ):
            sign = self.beyond(metric, level, above)
            if sign is not None:
                signs[name] = sign
        found = [[] for _ in range(self.rows)]
        if len(signs) >= 3:
            for row in np.flatnonzero(np.sum(list(signs.values()), axis=0) >= 3):
                found[row].append("mfa_pattern")
        ctr = self.posterior("ctr")
        if ctr is not None:
            surge = 1 - special.betainc(ctr["post_a"], ctr["post_b"], min(1.0, 3 * np.median(ctr["mean"])))
            for row in np.flatnonzero(surge >= 0.95):
                found[row].append("click_surge")
        return found, len(signs)

    def decision(self, row):
        return "block" if row in self.block else "allow" if row in self.allow else "watch"

    def needed(self, row):
        """Impressions that would settle a row of the watchlist; None where nothing up to 2,000 times does, and where
        the row is proven and watched for another reason."""
        if self.decision(row) != "watch" or not (self.worst[row] or self.best[row]):
            return None
        rows = np.array([row])
        def short(factor):
            p = below(self.median, *self.combined(factor, rows))[0]
            return (p if self.worst[row] else 1 - p) - self.THRESHOLD
        grid = np.geomspace(1, 2000, 60)
        reached = next((i for i, factor in enumerate(grid) if short(factor) >= 0), None)
        if reached is None:
            return None
        if reached == 0:
            return None
        factor = optimize.brentq(short, grid[reached - 1], grid[reached], xtol=1e-9)
        return np.ceil(factor * self.rolled["impressions"][row])


def scaled(t, entry):
    """y of values (evidence, 1.4); where the value is missing, the middle."""
    lo, hi = entry["lo"], entry["hi"]
    if hi - lo <= 1e-12 * max(abs(lo), abs(hi)):
        return np.full(len(t), 50.0)
    y = 100 * np.clip((t - lo) / (hi - lo), 0, 1)
    y = 100 - y if entry["lower"] else y
    return np.where(np.isnan(y), 50.0, y)


def read(path):
    frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    frame.columns = [c.removeprefix("TTD_").removeprefix("PulsePoint_") for c in frame.columns]
    text = ("Site", "Domain")
    for column in frame.columns:
        if column not in text:
            number = pd.to_numeric(frame[column].str.replace(",", ""), errors="coerce")
            frame[column] = number if number.notna().any() else frame[column]
    return frame


def check(evidence):
    """The closed forms against quadrature."""
    for metric, entry in evidence.metrics.items():
        if "post_a" not in entry or entry["hi"] <= entry["lo"]:
            continue
        rows = slice(0, None, max(1, evidence.rows // 40))
        where = entry["post_a"][rows], entry["post_b"][rows], entry["lo"], entry["hi"], entry["lower"]
        for ours, theirs in zip(moments(*where), moments_by_quadrature(*where)):
            assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-3), (metric, ours, theirs)


def figures(path, recipe):
    rolled = roll_up(read(path), recipe.split("-")[0])
    evidence = Evidence(rolled, RECIPES[recipe])
    if "--check" in sys.argv:
        check(evidence)
    round_to = lambda values, digits: [None if np.isnan(v) else float(f"%.{digits}g" % v) for v in values]
    rows = {
        "names": list(rolled["names"]),
        "mu": round_to(evidence.mu, 7), "sd": round_to(evidence.sd, 6), "skew": round_to(evidence.skew, 5),
        "score_low": round_to(evidence.low, 6), "score_high": round_to(evidence.high, 6),
        "p_below": [round(float(p), 6) for p in evidence.p_below],
        "decision": [evidence.decision(i) for i in range(evidence.rows)],
        "impressions_needed": [
            None if needed is None else float("%.6g" % needed) for needed in map(evidence.needed, range(evidence.rows))
        ],
        "patterns": evidence.patterns,
    }
    metrics = {}
    for metric, entry in evidence.metrics.items():
        known = "post_a" not in entry
        metrics[metric] = {"known": known, "lo": float(entry["lo"]), "hi": float(entry["hi"])}
        if not known:
            metrics[metric] |= {"rho": float(entry["rho"]), "rho_known": entry["rho_known"], "a": entry["a"],
                                "b": entry["b"], "x_eff": round_to(entry["x"], 9), "n_eff": round_to(entry["n"], 9)}
    return {
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "pandas": pd.__version__},
        "recipe": recipe, "median": evidence.median, "possible_signs": evidence.possible, "metrics": metrics,
        "rows": rows, "block": [str(rolled["names"][i]) for i in evidence.block],
        "allow": [str(rolled["names"][i]) for i in evidence.allow],
    }


# Report: rows, sites, seed, and what is done to it. The identical sites have priors far narrower than any campaign's.
REPORTS = {
    "trade_desk-display-awareness": (1400, 230, 1, None),
    "trade_desk-display-awareness-one_row_each": (260, 255, 2, None),
    "trade_desk-display-action": (1400, 230, 3, None),
    "trade_desk-display-action-no_event": (900, 150, 4, "no conversions"),
    "trade_desk-display-action-gaps": (1400, 230, 5, "gaps"),
    "trade_desk-display-action-identical": (1400, 230, 13, None),
    "trade_desk-video": (1400, 230, 6, None),
    "pulsepoint-display-action": (1700, 260, 7, None),
}


def sample(caliber, folder):
    """Writes the reports: samples without the columns that no score needs, some of them spoiled."""
    for name, (rows, domains, seed, spoil) in REPORTS.items():
        platform, channel = name.split("-")[:2]
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "report.csv"
            size = ["--rows", str(rows), "--domains", str(domains), "--seed", str(seed)]
            size += ["--world", "identical"] if name.endswith("identical") else []
            subprocess.run([caliber, "sample", "--platform", platform, "--channel", channel, *size, "--out", path],
                           check=True, stdout=subprocess.DEVNULL)
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        needed = {"Site", "Domain", "Impressions", *SPEND}
        for counts, trials, rates in SHARES.values():
            has_counts = any(count in frame for count in counts)
            needed |= {*counts, trials} if has_counts and spoil != "gaps" else {*counts[1:], *rates}
        if spoil == "gaps":
            needed |= {"Ad Load - XL (Excessive) - Impressions", "Ad Refresh - Below 15s - Impressions"}
            frame = gaps(frame)
        if spoil == "no conversions":
            frame["All Last Click + View Conversions"] = "0"
        frame[[column for column in frame if column in needed]].to_csv(folder / f"{name}.csv", index=False)


def gaps(frame):
    """Blanks: cells here and there, and a metric of a whole site; clicks and conversions as rates only."""
    draws = np.random.default_rng(5)
    sites = frame["Site"].unique()
    for column in ("CTR", "IAS Display Fully In View 1 Second Rate", "All Last Click + View Conversion Rate",
                   "Ad Load - XL (Excessive) - Impressions"):
        blank = draws.random(len(frame)) < 0.15
        blank |= frame["Site"].isin(draws.choice(sites, 12, replace=False)).to_numpy()
        frame.loc[blank, column] = ""
    return frame


def main():
    folder = pathlib.Path(__file__).parent / "evidence"
    folder.mkdir(exist_ok=True)
    if "--sample" in sys.argv:
        sample(sys.argv[sys.argv.index("--sample") + 1], folder)
    for path in sorted(folder.glob("*.csv")):
        recipe = next(name for name in RECIPES if path.stem.startswith(name))
        document = figures(path, recipe)
        path.with_suffix(".json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
        decisions = document["rows"]["decision"]
        print(path.name, {d: decisions.count(d) for d in ("block", "allow", "watch")}, f"m {document['median']:.3f}")


if __name__ == "__main__":
    main()
