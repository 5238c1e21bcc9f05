"""The data of a comparison: vectors of unit length, questions, the true neighbours, and filters of known selectivity."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy

K = 10
# Shares of the rows that a filter lets through.
SELECTIVITIES = [0.1, 0.01, 0.001]
# The values of the field that filters are made of: 0 to 999, drawn with a fixed seed.
DRAWS = 1000


@dataclass
class Data:
    """What is searched, and where it lies as files."""

    folder: Path
    rows: int
    dimension: int
    questions: int
    truth: numpy.ndarray
    filtered_truth: dict

    def path(self, name):
        return self.folder / name

    def filter_file(self, share):
        return self.path(f"filter-{share}.u8")

    def condition(self, share):
        return f"metadata.draw < {int(share * DRAWS)}"


def load(source, folder, limit, questions):
    """Reads the data and writes the files that the peers read."""
    folder.mkdir(parents=True, exist_ok=True)
    vectors = unit(read(source, "docs", limit))
    asked = unit(read(source, "questions", questions))
    numpy.save(folder / "vectors.npy", vectors)
    vectors.tofile(folder / "vectors.f32")
    numpy.save(folder / "questions.npy", asked)
    asked.tofile(folder / "questions.f32")
    draws = numpy.random.default_rng(7).integers(0, DRAWS, len(vectors))
    write_records(source, folder, draws)
    truth = true_neighbours(source, vectors, asked, limit)
    numpy.save(folder / "truth.npy", truth)
    filtered = {}
    for share in SELECTIVITIES:
        allowed = draws < share * DRAWS
        allowed.astype(numpy.uint8).tofile(folder / f"filter-{share}.u8")
        filtered[share] = exact(vectors, asked, allowed)
        numpy.save(folder / f"truth-{share}.npy", filtered[share])
    return Data(folder, len(vectors), vectors.shape[1], len(asked), truth, filtered)


def only(source, ending):
    found = sorted(source.glob(f"*{ending}"))
    return found[0] if found else None


def read(source, part, limit):
    path = only(source, f"_{part}_f16.npy")
    if path is None:
        raise SystemExit(f"{source} holds no NAME_{part}_f16.npy")
    return numpy.load(path, mmap_mode="r")[:limit].astype(numpy.float32)


def unit(vectors):
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


def write_records(source, folder, draws):
    """An id, a natural collection and a number to filter by: no texts, since the peers keep none."""
    with gzip.open(source / "docs.jsonl.gz", "rt") as lines, open(folder / "records.jsonl", "w") as out:
        for line, draw in zip(lines, draws):
            record = json.loads(line)
            out.write(json.dumps({"id": record["id"], "lexname": record["lexname"], "draw": int(draw)}) + "\n")


def true_neighbours(source, vectors, asked, limit):
    path = only(source, "_truth_top100_i32.npy")
    if path is not None and limit is None:
        truth = numpy.load(path)
        if len(truth) >= len(asked):
            return numpy.ascontiguousarray(truth[: len(asked), :K])
    return exact(vectors, asked, None)


def exact(vectors, asked, allowed):
    """The K nearest rows of each question, -1 where fewer are allowed."""
    rows = numpy.arange(len(vectors)) if allowed is None else numpy.flatnonzero(allowed)
    nearest = numpy.full((len(asked), K), -1, dtype=numpy.int32)
    for start in range(0, len(asked), 256):
        products = asked[start : start + 256] @ vectors[rows].T
        count = min(K, len(rows))
        best = numpy.argsort(-products, axis=1, kind="stable")[:, :count]
        nearest[start : start + 256, :count] = rows[best]
    return nearest


def recall(found, truth):
    """The share of the true neighbours that was found."""
    wanted = truth >= 0
    hits = sum(len(set(row[known]) & set(other)) for row, known, other in zip(truth, wanted, found))
    return hits / max(1, int(wanted.sum()))
