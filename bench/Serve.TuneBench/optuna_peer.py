"""Optuna's TPE on the functions of Serve.TuneBench. Prints rows: function, median regret after 100 trials, microseconds of CPU per trial. Usage: optuna_peer.py SEEDS."""
import math
import sys
import time

try:
    import optuna
except ImportError as problem:
    sys.exit(f"not installed: {problem}")

optuna.logging.set_verbosity(optuna.logging.ERROR)
seeds = int(sys.argv[1])
SCALES = [[10, 3, 17, 3.5, 1.7, 8], [.05, 10, 17, .1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, .05, 10, .1, 14]]
CENTERS = [[.1312, .1696, .5569, .0124, .8283, .5886], [.2329, .4135, .8307, .3736, .1004, .9991], [.2348, .1451, .3522, .2883, .3047, .6650], [.4047, .8828, .8732, .5743, .1091, .0381]]
HEIGHTS = [1, 1.2, 3, 3.2]


def branin(trial):
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    b = y - 5.1 / (4 * math.pi ** 2) * x * x + 5 / math.pi * x - 6
    return b * b + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887


def hartmann(trial):
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    return 3.32237 - sum(h * math.exp(-sum(a * (p - c) ** 2 for a, p, c in zip(scale, x, center))) for h, scale, center in zip(HEIGHTS, SCALES, CENTERS))


for name, function in (("branin", branin), ("hartmann", hartmann)):
    regrets, begun = [], time.process_time()
    for seed in range(seeds):
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        study.optimize(function, n_trials=100)
        regrets.append(study.best_value)
    print(name, sorted(regrets)[seeds // 2], 1e6 * (time.process_time() - begun) / seeds / 100, flush=True)
