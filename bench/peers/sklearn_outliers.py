"""Outliers with scikit-learn, as its documentation does it.

python sklearn_outliers.py METHOD FILE      finds them; FILE has a row a line, commas between figures
python sklearn_outliers.py make ROWS FILE   makes such a file: six metrics as campaigns have them
"""

import json
import sys
import time

import numpy as np
import sklearn
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor


def made(rows: int) -> np.ndarray:
    """A cost, a share in view, and four rates, two of which are 0 in many rows; one row in fifty is elsewhere."""
    random = np.random.default_rng(1)
    x = np.column_stack([
        random.lognormal(0.8, 0.5, rows),
        random.beta(6, 4, rows),
        random.gamma(2.0, 0.001, rows),
        random.beta(1.2, 12, rows),
        np.where(random.random(rows) < 0.3, 0.0, random.beta(1.5, 20, rows)),
        np.where(random.random(rows) < 0.4, 0.0, random.gamma(1.5, 0.0004, rows)),
    ])
    strange = random.random(rows) < 0.02
    x[strange] *= random.uniform(2, 5, (strange.sum(), 6))
    return x


def find(method: str, x: np.ndarray) -> np.ndarray:
    """The scores, higher is stranger."""
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    if method == "isolation_forest":
        return -IsolationForest(random_state=42).fit(z).score_samples(z)
    if method == "local_outlier_factor":
        return -LocalOutlierFactor(n_neighbors=20).fit(z).negative_outlier_factor_
    return EllipticEnvelope(random_state=42, contamination=0.1).fit(z).dist_


def main() -> None:
    if sys.argv[1] == "make":
        np.savetxt(sys.argv[3], made(int(sys.argv[2])), fmt="%.9g", delimiter=",")
        return
    method, file = sys.argv[1:3]
    x = np.loadtxt(file, delimiter=",")
    started = time.perf_counter()
    scores = find(method, x)
    outliers = int((scores > np.quantile(scores, 0.9)).sum())
    elapsed = time.perf_counter() - started
    print(f"{method}: {outliers} of {len(x)} rows", file=sys.stderr)
    said = {"tool": "scikit-learn", "version": sklearn.__version__, "after_import_s": elapsed}
    print(json.dumps(said), file=sys.stderr)


if __name__ == "__main__":
    main()
