"""What every measurement needs: a broker, free ports, processes and what they used."""

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import time
from pathlib import Path

DEADLINE_S = 120
TICKS = os.sysconf("SC_CLK_TCK")
# dcmtk waits for Nagle's algorithm otherwise, on both sides: 40 ms an image that nobody works in.
DCMTK = {**os.environ, "TCP_NODELAY": "1"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if not found:
        raise SystemExit(f"{name} is missing: apt-get install dcmtk mosquitto")
    return found


@contextlib.contextmanager
def running(command, log, **options):
    """A process that is stopped at the end; what it says goes to the file `log`."""
    with open(log, "wb") as said:
        process = subprocess.Popen([str(word) for word in command], stdout=said, stderr=said, **options)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


@contextlib.contextmanager
def broker(folder):
    port, settings = free_port(), Path(folder) / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
                        "max_queued_messages 0\npersistence false\n")
    with running([program("mosquitto"), "-c", settings], Path(folder) / "mosquitto.log"):
        await_port(port)
        yield port


@contextlib.contextmanager
def box(residentd, models, folder, *broker):
    """residentd as it is provisioned, with the flags that say which broker; its DICOM port."""
    port, home = free_port(), Path(folder) / "box"
    subprocess.run([residentd, "provision", "--site", "bench", "--device", "box", "--dir", home, "--state-dir",
                    home / "state", "--models-dir", Path(models).resolve(), "--listen", f"127.0.0.1:{port}", *broker],
                   check=True, capture_output=True)
    config = home / "residentd.toml"
    config.write_text(config.read_text().replace("[dicom]\n", "[dicom]\nmax_associations_per_peer = 8\n", 1))
    with running([residentd, "run", "--config", config], Path(folder) / "box.log") as process:
        await_port(port)
        yield process, port


def await_port(port):
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on port {port}")


def family(pid):
    """The process and all that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def cpu_s(pid):
    """CPU seconds of the process and all that it started, since they began."""
    def used(one):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return sum(used(one) for one in family(pid))


def peak_mib(pid):
    """Largest resident memory of each process of the family, in sum."""
    return sum(own_peak_mib(one) for one in family(pid))


def own_peak_mib(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def spread(values):
    """Median, and the middle half around it."""
    if len(values) < 2:
        return f"{values[0]:.1f}"
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.1f} [{low:.1f}, {high:.1f}]"
