"""Steps per second of CPU of Gymnasium's environments. Prints one row per environment: id, number of environments, steps/s. Usage: gymnasium_peer.py SECONDS."""
import sys
import time

try:
    import gymnasium as gym
    import numpy as np
except ImportError as problem:
    sys.exit(f"not installed: {problem}")

seconds = float(sys.argv[1])


def measure(name, count, step):
    step(200)
    begun, steps = time.process_time(), 0
    while time.process_time() - begun < seconds:
        step(200)
        steps += 200
    print(f"{name} {count} {steps * count / (time.process_time() - begun):.0f}", flush=True)


def single(name):
    env = gym.make(name)
    env.reset(seed=1)
    rng = np.random.default_rng(1)
    actions = [int(action) for action in rng.integers(env.action_space.n, size=200)]

    def step(number):
        for index in range(number):
            _, _, terminated, truncated, _ = env.step(actions[index])
            if terminated or truncated:
                env.reset()

    measure(name, 1, step)


def vector(name, count):
    env = gym.make_vec(name, count)
    env.reset(seed=1)
    rng = np.random.default_rng(1)
    actions = [rng.integers(env.single_action_space.n, size=count) for _ in range(16)]

    def step(number):
        for index in range(number):
            env.step(actions[index % 16])

    measure(name, count, step)


single("Taxi-v4")
single("CartPole-v1")
vector("CartPole-v1", 1024)
