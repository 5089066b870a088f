"""From association release to the message at the subscriber: residentd and the usual assembly.

One broker, one sender (dcmtk storescu, an association an image), one subscriber; each image
goes to the one, then to the other, and the next is sent when the message of this has come.
    whole_way.py RESIDENTD BUNDLE [IMAGES]
"""

import contextlib
import queue
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from machine import DCMTK, DEADLINE_S, await_port, box, broker, cpu_s, free_port, peak_mib, program, running, spread

WARM_UP = 3


def main(residentd, bundle, images=30):
    with tempfile.TemporaryDirectory() as folder, broker(folder) as mqtt_port:
        folder = Path(folder)
        files = phantoms(residentd, folder, int(images) + WARM_UP)
        messages = subscriber(mqtt_port)
        broker_flags = ["--broker", f"127.0.0.1:{mqtt_port}"]
        with (box(residentd, Path(bundle).parent, folder, *broker_flags) as a,
              assembly(bundle, folder, mqtt_port) as b):
            sides = {"residentd": a, "Python": b}
            measured = {name: [] for name in sides}
            for number, file in enumerate(files):
                if number == WARM_UP:
                    before = {name: cpu_s(process.pid) for name, (process, _) in sides.items()}
                for name, (_, port) in sides.items():
                    measured[name].append(send(file, port, messages[name]))
                    print(f"\r{number + 1} of {len(files)}", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
            used = {name: (cpu_s(p.pid) - before[name]) * 1000 / int(images) for name, (p, _) in sides.items()}
            memory = {name: peak_mib(process.pid) for name, (process, _) in sides.items()}
    report({name: times[WARM_UP:] for name, times in measured.items()}, used, memory)


def report(times, used, memory):
    print("| | ms from release to message, median [quartiles] | CPU ms an image | peak MiB |")
    print("|---|---|---|---|")
    for name in times:
        print(f"| {name} | {spread(times[name])} | {used[name]:.0f} | {memory[name]:.0f} |")
    medians = {name: sorted(values)[len(values) // 2] for name, values in times.items()}
    ratio = [f"{of['residentd'] / of['Python']:.2f}" for of in (medians, used, memory)]
    print(f"| ratio | {' | '.join(ratio)} |")


def phantoms(residentd, folder, count):
    files = [folder / f"{seed}.dcm" for seed in range(count)]
    for seed, file in enumerate(files):
        subprocess.run([residentd, "phantom", "--seed", str(seed + 1), "--out", file], check=True, capture_output=True)
    return files


def subscriber(port):
    """A queue of arrival times for each side."""
    arrivals = {"residentd": queue.Queue(), "Python": queue.Queue()}
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = lambda _client, _data, message: arrivals[
        "Python" if message.topic.startswith("peer/") else "residentd"].put(time.monotonic())
    client.connect("127.0.0.1", port)
    client.subscribe([("peer/report", 1), ("residentd/bench/box/report", 1)])
    client.loop_start()
    return arrivals


@contextlib.contextmanager
def assembly(bundle, folder, mqtt_port):
    port = free_port()
    command = [sys.executable, Path(__file__).parent / "daemon.py", bundle, folder / "peer", port, mqtt_port, "peer/report"]
    with running(command, folder / "peer.log") as process:
        await_port(port)
        yield process, port


def send(file, port, arrivals):
    """Milliseconds from the release to the message."""
    subprocess.run([program("storescu"), "-aec", "RESIDENTD", "127.0.0.1", str(port), file], check=True, env=DCMTK)
    released = time.monotonic()
    return max(0.0, (arrivals.get(timeout=DEADLINE_S) - released) * 1000)


if __name__ == "__main__":
    main(*sys.argv[1:])
