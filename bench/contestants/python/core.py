"""Measurements of bench/run core with Python's multiprocessing and Dask. Prints one line of JSON."""
import json
import multiprocessing
import os
import sys
import time


def empty():
    return 0


def ten(x):
    return x * 10


def no_work(array):
    return array[-1]


class Counter:
    def __init__(self):
        self.count = 0

    def increment(self):
        self.count += 1
        return self.count


def seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def with_multiprocessing(quick):
    found = {}
    items = [float(i) for i in range(1_000_000)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        pool.map(ten, range(1000))
        count = 5_000 if quick else 20_000
        found["pool_tasks"] = count / seconds(lambda: [r.get() for r in [pool.apply_async(empty) for _ in range(count)]])
        found["pool_map_ms"] = min(seconds(lambda: pool.map(ten, items)) for _ in range(3)) * 1000
        loop = min(seconds(lambda: [ten(x) for x in items]) for _ in range(3)) * 1000
        found["pool_map_ratio"] = found["pool_map_ms"] / loop
        # Bytes of the same size: numpy may be missing, and a list of 25,000,000 floats would be even slower.
        array = bytearray(200_000_000)
        tasks = 4 if quick else 20
        found["pool_array_ms"] = seconds(lambda: pool.map(no_work, [array] * tasks, chunksize=1)) * 1000 * 20 / tasks
    return found


def with_dask(quick):
    import logging
    from distributed import Client, LocalCluster
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    found = {}
    count = 500 if quick else 2_000
    for processes in (False, True):
        with LocalCluster(n_workers=os.cpu_count(), threads_per_worker=1, processes=processes, dashboard_address=None) as cluster, Client(cluster) as client:
            client.gather([client.submit(empty, pure=False) for _ in range(50)])
            found["dask_tasks_processes" if processes else "dask_tasks_threads"] = count / seconds(
                lambda: client.gather([client.submit(empty, pure=False) for _ in range(count)]))
            if processes:
                actor = client.submit(Counter, actor=True).result()
                actor.increment().result()
                found["dask_actor_calls"] = count / seconds(lambda: [actor.increment().result() for _ in range(count)])
                found["dask_actor_calls_pipelined"] = count / seconds(lambda: [f.result() for f in [actor.increment() for _ in range(count)]])
    return found


if __name__ == "__main__":
    measure = {"multiprocessing": with_multiprocessing, "dask": with_dask}[sys.argv[1]]
    print(json.dumps(measure(sys.argv[2] == "quick")), flush=True)
