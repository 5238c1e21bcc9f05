"""Who takes part, and the rounds: everybody is built once, then all are measured in turn, several times."""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy

import peers
from data import K, SELECTIVITIES, recall

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGETS = [0.90, 0.95, 0.99]
BUILD_THREADS = 2
# A single knob is not turned further up once it reaches this recall: more only costs time.
ENOUGH = 0.995
FILTERED_EF = [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120]


def pinned(processors):
    """Arguments for subprocess that keep a program on so many processors, and libraries on as many threads."""
    usable = sorted(os.sched_getaffinity(0))[:processors] if hasattr(os, "sched_getaffinity") else None
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]
    environment = {**os.environ, **{name: str(processors) for name in names}}
    bind = (lambda: os.sched_setaffinity(0, usable)) if usable else None
    return {"env": environment, "preexec_fn": bind}


def output_of(command, processors, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **pinned(processors), **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def size(path):
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def shown(setting):
    """A setting as it stands in the results."""
    if isinstance(setting, str):
        return setting
    return " ".join(f"{key}={value}" for key, value in setting.items()) or "as it is"


class Peer:
    """One that builds an index file and serves it by lines: a worker of peers.py, or a program that speaks the same."""

    filters = False

    def __init__(self, name, data):
        self.name, self.data = name, data
        self.index = data.path(f"{name}.index")
        self.ids = data.path(f"{name}.ids")
        self.worker = None

    def settings(self):
        return peers.PEERS[self.name]().settings

    def build_command(self):
        return [sys.executable, HERE / "peers.py", "build", self.name, self.data.path("vectors.npy"), self.index, BUILD_THREADS]

    def serve_command(self):
        return [sys.executable, HERE / "peers.py", "serve", self.name, self.index, self.data.path("questions.npy"), self.ids]

    def build(self):
        said = output_of(self.build_command(), BUILD_THREADS).strip().splitlines()
        return {"build_seconds": json.loads(said[-1])["build_seconds"], "file_bytes": size(self.index)}

    def open(self):
        command = [str(word) for word in self.serve_command()]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.worker = subprocess.Popen(command, text=True, **pipes, **pinned(1))

    def close(self):
        if self.worker:
            self.worker.stdin.close()
            self.worker.wait()

    def measure(self, settings, share=None):
        points = []
        for setting in settings:
            points.append(self.point(setting, share))
            if len(setting) == 1 and points[-1]["recall"] >= ENOUGH:
                break
        return points

    def point(self, setting, share):
        words = [f"{key}={value}" for key, value in setting.items()]
        if share is not None:
            words.append(f"filter={self.data.filter_file(share)}")
        self.worker.stdin.write(" ".join(["search", f"k={K}", *words]) + "\n")
        self.worker.stdin.flush()
        line = self.worker.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} stopped at {setting}")
        said = json.loads(line)
        found = numpy.fromfile(self.ids, dtype=numpy.int32).reshape(self.data.questions, -1)
        truth = self.data.truth if share is None else self.data.filtered_truth[share]
        rate = self.data.questions / said.pop("seconds")
        return {"setting": shown(setting), "recall": recall(found, truth), "queries_per_second": rate, **said}


class Program(Peer):
    """A compiled one."""

    filters = True

    def build_command(self):
        data = self.data
        return [self.program, "build", data.path("vectors.f32"), data.rows, data.dimension, self.index, BUILD_THREADS]

    def serve_command(self):
        data = self.data
        return [self.program, "serve", self.index, data.dimension, data.path("questions.f32"), data.questions, self.ids]

    def settings(self):
        return peers.knobs(ef=peers.EF)


class Hnswlib(Program):
    """hnswlib's headers, from its source package, with a filter in C++."""

    VERSION = "0.8.0"

    def build(self):
        folder = self.data.folder.parent / "hnswlib"
        self.program = folder / "hnswlib_bench"
        if not self.program.exists():
            self.compile(folder)
        return super().build()

    def compile(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        source = ["download", "--quiet", "--no-deps", "--no-binary", "hnswlib", f"hnswlib=={self.VERSION}", "-d", folder]
        output_of([sys.executable, "-m", "pip", *source], BUILD_THREADS)
        shutil.unpack_archive(next(folder.glob("hnswlib-*.tar.gz")), folder)
        flags = ["-O3", "-march=native", "-std=c++17", "-pthread", "-I", folder / f"hnswlib-{self.VERSION}"]
        output_of(["g++", *flags, HERE / "hnswlib_bench.cpp", "-o", self.program], BUILD_THREADS)


class HnswRs(Program):
    """hnsw_rs through a small program of its own workspace."""

    filters = False

    def build(self):
        folder = self.data.folder.parent / "hnsw_rs"
        command = ["cargo", "build", "--release", "--manifest-path", HERE / "hnsw_rs/Cargo.toml", "--target-dir", folder]
        output_of(command, BUILD_THREADS)
        self.program = folder / "release/hnsw_rs_bench"
        self.index.mkdir(exist_ok=True)
        return super().build()


class Portolan:
    """One way to export, measured with `portolan bench`."""

    # More than the four that it prints by itself, so that the best speed at a measured recall can be found.
    SETTINGS = ["0.80", "0.85", "0.90", "0.92", "0.94", "0.95", "0.96", "0.97", "0.98", "0.985", "0.99", "0.995"]

    def __init__(self, name, data, command, flags, rule, filters):
        self.name, self.data, self.command, self.flags, self.rule, self.filters = name, data, command, flags, rule, filters
        self.release = data.path(name)

    def settings(self):
        return self.SETTINGS

    def run(self, *words, processors=1):
        return output_of([self.command, *words, "--json"], processors)

    def store(self):
        """The records with their vectors, in one collection or in 45; shared by all ways to export."""
        store = self.data.path(f"store{'-'.join(self.rule)}")
        if not store.exists():
            paths = [self.data.path("records.jsonl"), "--vectors", self.data.path("vectors.npy")]
            self.run("import", *paths, "--store", store, *self.rule, processors=BUILD_THREADS)
        return store

    def build(self):
        shutil.rmtree(self.release, ignore_errors=True)
        said = self.run("export", "--store", self.store(), "--out", self.release, *self.flags, processors=BUILD_THREADS)
        exported = json.loads(said)
        files = [file for file in self.release.glob("*.portolan") if not file.name.startswith("heads-")]
        return {
            "build_seconds": exported["build_seconds"],
            "export_seconds": exported["seconds"],
            "file_bytes": sum(file.stat().st_size for file in files),
            "open_milliseconds": self.open_time(),
        }

    def open_time(self):
        asked = ["query", "--release", self.release, "--sql", "SELECT id FROM * LIMIT 1"]
        return min(json.loads(self.run(*asked))["milliseconds"]["open"] for _ in range(3))

    def open(self):
        pass

    def close(self):
        pass

    def measure(self, settings, share=None):
        truth = "truth.npy" if share is None else f"truth-{share}.npy"
        words = ["--queries", self.data.path("questions.npy"), "--truth", self.data.path(truth)]
        words += ["--ids", self.data.path("records.jsonl"), "--k", K, "--settings", ",".join(settings), "--repeat", 1]
        if share is not None:
            words += ["--filter", self.data.condition(share)]
        return [json.loads(line) for line in self.run("bench", self.release, *words).splitlines()]


def ways(command, data):
    """Portolan's ways to export. The first is compared with hnswlib in the goals that name no way."""
    one, many = ["--collection", "all"], ["--collection-by", "lexname"]
    return [
        Portolan("portolan-i8", data, command, ["--vectors", "i8"], one, True),
        Portolan("portolan-f16", data, command, ["--vectors", "f16"], one, True),
        Portolan("portolan-none", data, command, ["--vectors", "none", "--hard", "--bits", "4"], one, False),
        Portolan("portolan-45-packed", data, command, ["--vectors", "i8", "--pack"], many, False),
        Portolan("portolan-45-files", data, command, ["--vectors", "i8"], many, False),
    ]


def portolan_command(options):
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = options.portolan or Path(os.environ.get("PORTOLAN_CLI", target / "debug/portolan"))
    if not command.exists():
        sys.exit(f"{command} is not built: run `cargo xtask demo`, or name the command with --portolan")
    return command.resolve()


def contestants(options, data):
    wanted = options.peers.split(",") if options.peers else ["portolan", "hnswlib", "hnsw_rs", *peers.PEERS]
    for name in wanted:
        if name == "portolan":
            yield from ways(portolan_command(options), data)
        elif name == "hnswlib":
            yield Hnswlib(name, data)
        elif name == "hnsw_rs":
            yield HnswRs(name, data)
        elif name in peers.PEERS:
            yield Peer(name, data)
        else:
            sys.exit(f"nobody is called {name}; there are portolan, hnswlib, hnsw_rs, {', '.join(peers.PEERS)}")


def built(contestant, reuse):
    """Builds, or remembers what an earlier run said."""
    said = contestant.data.path(f"{contestant.name}.json")
    if reuse and said.exists():
        if isinstance(contestant, Hnswlib):
            contestant.program = contestant.data.folder.parent / "hnswlib" / "hnswlib_bench"
        if isinstance(contestant, HnswRs):
            contestant.program = contestant.data.folder.parent / "hnsw_rs" / "release/hnsw_rs_bench"
        return json.loads(said.read_text())
    facts = contestant.build()
    said.write_text(json.dumps(facts))
    return facts


def run(options, data):
    results = {"machine": machine(), "data": facts_of(data), "rounds": options.rounds, "peers": {}, "missing": {}}
    ready = []
    for contestant in contestants(options, data):
        print(f"building {contestant.name}", flush=True)
        try:
            facts = built(contestant, options.reuse)
            contestant.open()
        except (RuntimeError, FileNotFoundError, OSError) as error:
            print(f"  left out: {error}", flush=True)
            results["missing"][contestant.name] = str(error)
            continue
        results["peers"][contestant.name] = {**facts, "points": [], "filtered": {str(s): [] for s in SELECTIVITIES}}
        ready.append(contestant)
    for number in range(options.rounds):
        for contestant in list(ready):
            print(f"round {number + 1}: {contestant.name}", flush=True)
            try:
                measure(contestant, results["peers"][contestant.name])
            except (RuntimeError, ValueError) as error:
                print(f"  left out: {error}", flush=True)
                results["missing"][contestant.name] = str(error)
                ready.remove(contestant)
    for contestant in ready:
        contestant.close()
    return results


def measure(contestant, facts):
    keep(facts["points"], contestant.measure(promising(contestant.settings(), facts["points"])))
    if not contestant.filters:
        return
    for share in SELECTIVITIES:
        points = facts["filtered"][str(share)]
        all_settings = contestant.settings() if isinstance(contestant, Portolan) else peers.knobs(ef=FILTERED_EF)
        keep(points, contestant.measure(promising(all_settings, points), share))


def promising(settings, points):
    """In the first round all settings; later those that may turn out to be the fastest at a target."""
    if not points:
        return settings
    chosen = set()
    for target in TARGETS:
        good = [point for point in points if point["recall"] >= target]
        good.sort(key=lambda point: -point["queries_per_second"])
        chosen.update(point["setting"] for point in good[:3])
    # Nobody reaches a target: then the nearest miss is what there is to say.
    chosen.add(max(points, key=lambda point: point["recall"])["setting"])
    return [setting for setting in settings if shown(setting) in chosen]


def keep(points, new):
    """Keeps the fastest of each setting."""
    places = {(point["setting"], point.get("engine")): place for place, point in enumerate(points)}
    for point in new:
        place = places.get((point["setting"], point.get("engine")))
        if place is None:
            points.append(point)
        elif point["queries_per_second"] > points[place]["queries_per_second"]:
            points[place] = point


def facts_of(data):
    return {"rows": data.rows, "dimension": data.dimension, "questions": data.questions, "k": K}


def machine():
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    names = ["numpy", "faiss-cpu", "usearch", "scann", "rabitqlib", "turbovec"]
    versions = {"hnswlib": Hnswlib.VERSION}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return {"processor": model, "processors": os.cpu_count(), "system": platform.platform(), "versions": versions,
            "day": time.strftime("%Y-%m-%d")}
