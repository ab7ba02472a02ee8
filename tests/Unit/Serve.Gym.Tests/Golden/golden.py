"""Writes the golden files in this folder. They were made with Gymnasium 1.4.0 and numpy 1.24.2: python3 golden.py FOLDER.

Steps of the classic environments are rows of action, observation, reward, terminated, truncated and, after the end of an episode,
the observation and the state after the next reset. Floats have 9 significant digits (a float32 is exact), states have 12.
"""
import json
import sys

import gymnasium as gym
import numpy as np
from gymnasium import spaces

FOLDER = sys.argv[1] + "/"


def short(values, digits=9):
    return [float(f"{float(value):.{digits}g}") for value in values]


def write(name, content):
    with open(FOLDER + name + ".json", "w") as file:
        json.dump(content, file, separators=(",", ":"))
        file.write("\n")


def classic(name, count):
    env = gym.make(name)
    rng = np.random.default_rng(7)
    observation, _ = env.reset(seed=11)
    content = dict(env=name, seed=11, observation=short(observation), state=short(env.unwrapped.state, 12), steps=[])
    for _ in range(count):
        discrete = isinstance(env.action_space, spaces.Discrete)
        action = int(rng.integers(env.action_space.n)) if discrete else np.array([rng.uniform(-2, 2)], dtype=np.float32)
        observation, reward, terminated, truncated, _ = env.step(action)
        row = [action if discrete else short(action)[0], short(observation), float(f"{float(reward):.12g}"), int(terminated), int(truncated), short(env.unwrapped.state, 12)]
        if terminated or truncated:
            observation, _ = env.reset()
            row += [short(observation), short(env.unwrapped.state, 12)]
        content["steps"].append(row)
    write(name, content)


def table(file, name, stride=1, **arguments):
    env = gym.make(name, render_mode="ansi", **arguments).unwrapped
    rows = [[[[float(p), int(s), float(r), int(d)] for p, s, r, d in env.P[state][action]] for action in range(env.action_space.n)]
            for state in range(0, env.observation_space.n, stride)]
    outcomes = sorted({json.dumps(row) for state in rows for row in state})
    index = {row: number for number, row in enumerate(outcomes)}
    content = dict(env=name, arguments=arguments, stride=stride, outcomes=[json.loads(row) for row in outcomes],
                   table=[[index[json.dumps(row)] for row in state] for state in rows])
    if file == "Taxi":
        content["mask"] = ["".join(str(bit) for bit in env.action_mask(state)) for state in range(500)]
        content["starts"] = [int(state) for state in np.nonzero(env.initial_state_distrib)[0]]
    # Start states of seeds 0 to 19.
    content["seeds"] = [int(env.reset(seed=seed)[0]) for seed in range(20)]
    # A trajectory of random actions with its resets, and the first frames.
    env = gym.make(name, render_mode="ansi", **arguments)
    rng = np.random.default_rng(5)
    first, _ = env.reset(seed=123)
    frames, steps = [env.render()], []
    for number in range(600):
        action = int(rng.integers(env.action_space.n))
        observation, reward, terminated, truncated, _ = env.step(action)
        if number < 6:
            frames.append(env.render())
        row = [action, int(observation), float(reward), int(terminated), int(truncated)]
        if terminated or truncated:
            row.append(int(env.reset()[0]))
        steps.append(row)
    content.update(first=int(first), frames=frames, steps=steps)
    write(file, content)


def blackjack():
    content = []
    for arguments in (dict(sab=True), dict(sab=False, natural=True), dict(sab=False, natural=False)):
        env = gym.make("Blackjack-v1", **arguments)
        rng = np.random.default_rng(5)
        observation, _ = env.reset(seed=3)
        episodes = dict(arguments=arguments, first=[int(value) for value in observation], steps=[])
        for _ in range(300):
            action = int(rng.integers(2))
            observation, reward, terminated, truncated, _ = env.step(action)
            row = [action, [int(value) for value in observation], float(reward), int(terminated)]
            if terminated:
                row.append([int(value) for value in env.reset()[0]])
            episodes["steps"].append(row)
        content.append(episodes)
    write("Blackjack-v1", content)


def samples():
    def drawn(space, seed):
        space.seed(seed)
        return [np.asarray(space.sample()).tolist() for _ in range(12)]

    generator = np.random.default_rng(7)
    content = dict(
        seeds={str(seed): [float(value) for value in np.random.default_rng(seed).random(5)] for seed in (0, 1, 42, 2 ** 32 - 1, 2 ** 32, 2 ** 63 + 11)},
        integers=[int(generator.integers(bound)) for bound in (2, 3, 13, 1000, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 3, 7, 2 ** 62 + 1, 5)],
        advanced=float(np.random.Generator(np.random.PCG64(9).advance(1234567)).random()),
        discrete=drawn(spaces.Discrete(7, start=-2), 4),
        masked=[int(value) for value in masked(4)],
        box=[[float(x) for x in np.asarray(row).ravel()] for row in drawn(spaces.Box(np.array([-1, 0], dtype=np.float32), np.array([1, 5], dtype=np.float32)), 4)],
        multiDiscrete=drawn(spaces.MultiDiscrete([3, 4, 11]), 4),
        multiBinary=drawn(spaces.MultiBinary(9), 4),
        tuple=nested(spaces.Tuple((spaces.Discrete(5), spaces.Discrete(9))), 4),
        dict=[[int(value["a"]), int(value["b"])] for value in dicts(4)],
    )
    write("random", content)


def wrappers():
    def normalized(wrapper):
        env = wrapper(gym.make("MountainCarContinuous-v0"))
        rng = np.random.default_rng(3)
        observation, _ = env.reset(seed=5)
        rows = [[short(observation)]]
        for _ in range(60):
            action = float(np.float32(rng.uniform(-1, 1)))
            observation, reward, _, _, _ = env.step(np.array([action], dtype=np.float32))
            rows.append([short(observation), float(f"{float(reward):.9g}"), short([action])[0]])
        return rows

    write("wrappers", dict(observation=normalized(gym.wrappers.NormalizeObservation), reward=normalized(gym.wrappers.NormalizeReward)))


def masked(seed):
    space = spaces.Discrete(6)
    space.seed(seed)
    return [space.sample(mask=np.array([0, 1, 0, 1, 1, 0], dtype=np.int8)) for _ in range(12)]


def nested(space, seed):
    space.seed(seed)
    return [[int(value) for value in space.sample()] for _ in range(12)]


def dicts(seed):
    space = spaces.Dict(b=spaces.Discrete(9), a=spaces.Discrete(5))
    space.seed(seed)
    return [space.sample() for _ in range(12)]


for name, count in (("CartPole-v1", 150), ("MountainCar-v0", 220), ("MountainCarContinuous-v0", 150), ("Pendulum-v1", 210), ("Acrobot-v1", 150)):
    classic(name, count)
table("Taxi", "Taxi-v4")
table("Taxi-rainy", "Taxi-v4", stride=7, is_rainy=True)
table("Taxi-fickle", "Taxi-v4", stride=7, fickle_passenger=True)
table("FrozenLake", "FrozenLake-v1")
table("FrozenLake-dry", "FrozenLake-v1", is_slippery=False)
table("FrozenLake8x8", "FrozenLake8x8-v1", stride=3)
table("CliffWalking", "CliffWalking-v1")
table("CliffWalkingSlippery", "CliffWalkingSlippery-v1")
blackjack()
samples()
wrappers()
