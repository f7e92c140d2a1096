"""Writes outliers.json beside this script: what numpy and scikit-learn (1.8 or later) make of fixed data.

python outliers.py
"""

import json
import platform
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.covariance import EllipticEnvelope, MinCovDet
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

SEEDS = range(8)


def planted(rows: int, width: int, strange: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Correlated, skewed metrics, of which some rows are elsewhere; rounded, so that the file stays small."""
    random = np.random.default_rng(seed)
    mixing = np.eye(width) + 0.4 * random.standard_normal((width, width))
    x = random.standard_normal((rows, width)) @ mixing + 10
    where = np.zeros(rows, dtype=bool)
    where[random.choice(rows, strange, replace=False)] = True
    x[where] += random.choice([-1.0, 1.0], (strange, width)) * random.uniform(3, 6, (strange, width))
    return np.round(x, 4), where


def standardised(x: np.ndarray) -> np.ndarray:
    filled = np.where(np.isnan(x), np.nanmedian(x, axis=0), x)
    return (filled - filled.mean(axis=0)) / filled.std(axis=0)


def envelope(z: np.ndarray) -> np.ndarray:
    """The distances of the seed that found the least determinant."""
    found = []
    for seed in SEEDS:
        raw = MinCovDet(random_state=seed).fit(z)
        found.append((np.linalg.slogdet(raw.raw_covariance_)[1], seed))
    _, seed = min(found)
    return EllipticEnvelope(random_state=seed).fit(z).dist_


def inspected(name: str, x: np.ndarray, where: np.ndarray, repeated: tuple[int, ...] = ()) -> dict:
    present_z = np.abs((x - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0))
    q1, q3 = np.nanquantile(x, [0.25, 0.75], axis=0)
    fence = 1.5 * (q3 - q1)
    z = standardised(x)
    kept = [column for column in range(x.shape[1]) if column not in repeated]
    neighbours = LocalOutlierFactor(n_neighbors=min(20, len(x) - 1)).fit(z)
    short = lambda values: [float(f"{value:.10g}") for value in values]
    return {
        "name": name,
        "rows": [[None if np.isnan(value) else float(value) for value in row] for row in x],
        "planted": np.flatnonzero(where).tolist(),
        "repeated": list(repeated),
        "zscore": short(np.nanmax(present_z, axis=1)),
        "iqr": ((x < q1 - fence) | (x > q3 + fence)).sum(axis=1).tolist(),
        "local_outlier_factor": short(-neighbours.negative_outlier_factor_),
        "elliptic_envelope": short(envelope(z[:, kept])),
        "isolation_forest": short(-IsolationForest(random_state=0).fit(z).score_samples(z)),
    }


def main() -> None:
    sets = []
    sets.append(inspected("small", *planted(40, 2, 4, 1)))
    sets.append(inspected("plain", *planted(300, 5, 24, 2)))

    x, where = planted(400, 4, 30, 3)
    x[np.random.default_rng(4).random(x.shape) < 0.05] = np.nan
    sets.append(inspected("gaps", x, where))

    x, where = planted(300, 3, 20, 5)
    x[60:90] = x[40]  # more of one row than neighbours are looked for
    x[100:108] = x[99]
    sets.append(inspected("duplicates", x, where))

    x, where = planted(250, 4, 20, 6)
    x[np.random.default_rng(7).random(250) < 0.7, 2] = 0.0
    sets.append(inspected("zeros", x, where, repeated=(2,)))

    sets.append(inspected("nested", *planted(900, 3, 80, 8)))
    sets.append(inspected("merged", *planted(1800, 4, 150, 9)))
    written = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "sets": sets,
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(written, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
