"""Writes weights.json: rows, and what scikit-learn, numpy and scipy make of them.

    pip install scikit-learn numpy scipy
    python weights.py
"""

import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.optimize import nnls
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import f_regression, mutual_info_regression, r_regression
from sklearn.inspection import permutation_importance

METRICS = ["cpm", "ctr", "ias_display_fully_in_view_1s_rate", "ad_load_xl_rate", "conversion_rate"]
FOLDS = 5


def minmax(column):
    low, high = np.nanmin(column), np.nanmax(column)
    return np.round((column - low) / (high - low) * 100, 6)


def continuous():
    """No value repeats and none is missing."""
    rng = np.random.default_rng(1)
    n = 300
    common = rng.normal(size=n)
    z = np.column_stack([minmax(rng.normal(size=n) + k * common) for k in (0.0, 0.5, 1.0, -0.6, 0.2)])
    target = 0.02 * z[:, 1] + np.sin(z[:, 2] / 15) - 0.01 * z[:, 0] + rng.normal(scale=0.5, size=n)
    return z, np.round(target, 6)


def tied():
    """Rates with many zeros, cells that are missing, and a target that some rows lack."""
    rng = np.random.default_rng(2)
    n = 400
    quality = rng.normal(size=n)
    columns = [
        rng.lognormal(mean=-0.4 * quality, sigma=0.3),
        rng.poisson(np.exp(0.3 + 0.8 * quality)) / 400.0,
        np.round(rng.beta(4, 2, size=n) + 0.05 * quality, 2),
        np.where(rng.random(n) < 0.6, 0.0, rng.random(n)),
        rng.poisson(np.exp(-1 + 0.7 * quality)) / 1000.0,
    ]
    z = np.column_stack([minmax(column) for column in columns])
    z[:, [0, 3]] = 100 - z[:, [0, 3]]
    z[rng.random(n) < 0.1, 2] = np.nan
    z[rng.random(n) < 0.3, 4] = np.nan
    target = rng.poisson(np.exp(1 + quality + 0.3 * rng.normal(size=n))).astype(float)
    target[rng.random(n) < 0.15] = np.nan
    return z, target


def unlike_spreads():
    """One metric squeezed together by a single great value, two that nearly cancel each other out."""
    rng = np.random.default_rng(3)
    n = 250
    squeezed = rng.normal(size=n)
    squeezed[7] = 400.0
    wave = rng.normal(size=n)
    small = rng.normal(size=n)
    columns = [squeezed, wave, -wave + 0.05 * small, rng.normal(size=n), rng.random(n)]
    z = np.column_stack([minmax(column) for column in columns])
    target = np.where(np.arange(n) == 7, 0.0, squeezed) + 4 * small + rng.normal(size=n)
    return z, np.round(target, 6)


def all_against():
    """Every metric runs against the target."""
    rng = np.random.default_rng(4)
    z = np.column_stack([minmax(rng.normal(size=120)) for _ in range(5)])
    target = -z @ np.array([0.5, 0.1, 0.3, 0.2, 0.4]) + rng.normal(scale=20, size=120)
    return z, np.round(target, 6)


def by_metric(z, target):
    """Figures over the rows where both are present."""
    figures = {"correlation": [], "f_score": [], "variance": [], "mutual_info": [], "mutual_info_sd": []}
    for column in z.T:
        both = ~np.isnan(column) & ~np.isnan(target)
        x, y = column[both].reshape(-1, 1), target[both]
        figures["correlation"].append(r_regression(x, y)[0])
        figures["f_score"].append(f_regression(x, y)[0][0])
        figures["variance"].append(np.var(x, ddof=1))
        information = [mutual_info_regression(x, y, random_state=seed)[0] for seed in range(20)]
        figures["mutual_info"].append(np.mean(information))
        figures["mutual_info_sd"].append(np.std(information, ddof=1))
    return {name: [float(figure) for figure in column] for name, column in figures.items()}


def r_of(weights, z, target):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(np.corrcoef(z @ weights, target)[0, 1])


def searched(z, target):
    """The exact optimum, the best of the grid, and the start fold by fold; a missing cell counts 0."""
    used = ~np.isnan(target)
    z, target = np.nan_to_num(z[used]), target[used]
    centred = z - z.mean(axis=0)
    weights, _ = nnls(centred, target - target.mean())
    if not weights.any():
        weights = np.eye(z.shape[1])[np.argmax([r_of(unit, z, target) for unit in np.eye(z.shape[1])])]
    grid = (w for w in itertools.product(range(21), repeat=z.shape[1] - 1) if sum(w) <= 20)
    grid = [np.array([*w, 20 - sum(w)]) / 20 for w in grid]
    start = np.full(z.shape[1], 1 / z.shape[1])
    fold = np.arange(len(target)) % FOLDS
    return {
        "optimum": r_of(weights, z, target),
        "grid": max(r_of(w, z, target) for w in grid),
        "start": r_of(start, z, target),
        "start_by_fold": [r_of(start, z[fold == k], target[fold == k]) for k in range(FOLDS)],
    }


def forest(z, weights):
    """A forest of the score on z, by ten seeds."""
    z = np.nan_to_num(z)
    score = z @ weights
    impurity, permutation, r_squared = [], [], []
    for seed in range(10):
        model = RandomForestRegressor(100, max_features=1.0, random_state=seed, n_jobs=-1).fit(z, score)
        impurity.append(model.feature_importances_)
        drops = permutation_importance(model, z, score, n_repeats=5, random_state=seed)
        permutation.append(drops.importances_mean)
        r_squared.append(model.score(z, score))
    spread = lambda figures: {"mean": np.mean(figures, 0).tolist(), "sd": np.std(figures, 0, ddof=1).tolist()}
    return {
        "weights": list(weights),
        "impurity": spread(impurity),
        "permutation": spread(permutation),
        "r_squared": spread(r_squared),
    }


def cells(values):
    return [None if np.isnan(value) else float(value) for value in values]


def case(rows, recipe=(0.15, 0.2, 0.25, 0.2, 0.2)):
    z, target = rows()
    return {
        "z": {metric: cells(column) for metric, column in zip(METRICS, z.T)},
        "target": cells(target),
        "by_metric": by_metric(z, target),
        "searched": searched(z, target),
        "forest": forest(z, np.array(recipe)),
    }


def main():
    cases = {rows.__name__: case(rows) for rows in (continuous, tied, unlike_spreads, all_against)}
    made_by = {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    text = json.dumps({"made_by": made_by, "cases": cases}, separators=(",", ":"))
    # One column a line.
    text = text.replace("],", "],\n").replace("{", "{\n", 3)
    Path(__file__).with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
