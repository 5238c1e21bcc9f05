"""The peers that have a Python package, one class each, and a worker process that builds or serves one of them.

    python peers.py build NAME VECTORS.npy INDEX THREADS     prints {"build_seconds": ...}
    python peers.py serve NAME INDEX QUERIES.npy IDS          then one line in, one line out:
        search k=10 KNOB=VALUE ...                            prints {"seconds": ...}

Vectors are float32 rows of unit length, so inner product ranks as cosine does. All questions are handed over in one call
on one thread: that spares a peer Python's cost per call, and lets those that can use the batch. The numbers of the rows
found go to IDS (int32, questions x k). To add a peer: a class here, a line in PEERS.
"""

import json
import os
import shutil
import sys
import time

EF = [10, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 400, 512]


def knobs(**lists):
    """All combinations of the knobs' values."""
    settings = [{}]
    for name, values in lists.items():
        settings = [{**setting, name: value} for setting in settings for value in values]
    return settings


class Usearch:
    """usearch, M=16; quantizes by a cast, so cosine of what is stored."""

    settings = knobs(ef=EF)

    def __init__(self, dtype):
        self.dtype = dtype

    def build(self, vectors, path, threads):
        from usearch.index import Index

        index = Index(ndim=vectors.shape[1], metric="cos", dtype=self.dtype, connectivity=16)
        start = time.perf_counter()
        import numpy

        index.add(numpy.arange(len(vectors)), vectors, threads=threads)
        seconds = time.perf_counter() - start
        index.save(path)
        return seconds

    def open(self, path):
        from usearch.index import Index

        self.index = Index.restore(path)

    def search(self, queries, k, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, k, threads=1).keys


class Faiss:
    """faiss by the name of its index factory."""

    def __init__(self, factory, settings):
        self.factory, self.settings = factory, settings

    def build(self, vectors, path, threads):
        import faiss

        faiss.omp_set_num_threads(threads)
        start = time.perf_counter()
        index = faiss.index_factory(vectors.shape[1], self.factory, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.add(vectors)
        seconds = time.perf_counter() - start
        faiss.write_index(index, path)
        return seconds

    def open(self, path):
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(path)

    def search(self, queries, k, **setting):
        import faiss

        text = ",".join(f"{name}={value}" for name, value in setting.items())
        faiss.ParameterSpace().set_index_parameters(self.index, text)
        return self.index.search(queries, k)[1]


class Scann:
    """ScaNN: partitions, anisotropic product codes, exact reordering."""

    settings = knobs(leaves=[4, 8, 16, 24, 32, 48, 64, 96, 128], reorder=[30, 60, 100, 200])

    def build(self, vectors, path, threads):
        import scann

        leaves = max(8, min(512, len(vectors) // 64))
        start = time.perf_counter()
        builder = scann.scann_ops_pybind.builder(vectors, 10, "dot_product").set_n_training_threads(threads)
        builder = builder.tree(num_leaves=leaves, num_leaves_to_search=32, training_sample_size=len(vectors))
        searcher = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100).build()
        seconds = time.perf_counter() - start
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        searcher.serialize(path)
        return seconds

    def open(self, path):
        import scann

        self.index = scann.scann_ops_pybind.load_searcher(path)

    def search(self, queries, k, leaves, reorder):
        return self.index.search_batched(queries, k, leaves_to_search=leaves, pre_reorder_num_neighbors=reorder)[0]


class RabitqIvf:
    """Clusters of rabitqlib with codes of 7 bits."""

    settings = knobs(nprobe=[4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192])

    def build(self, vectors, path, threads):
        import numpy
        import rabitqlib

        clusters = max(8, min(512, len(vectors) // 64))
        start = time.perf_counter()
        means = rabitqlib.RaBitQKMeans(vectors.shape[1], clusters, num_threads=threads)
        means.train(vectors)
        index = rabitqlib.IvfIndex(vectors.shape[1], len(vectors), clusters, 7, metric="ip")
        ids = numpy.asarray(means.assignments, dtype=numpy.uint32)
        index.build(vectors, numpy.asarray(means.centroids), ids, num_threads=threads)
        seconds = time.perf_counter() - start
        index.save(path)
        return seconds

    def open(self, path):
        import rabitqlib

        self.index = rabitqlib.IvfIndex.load(path)

    def search(self, queries, k, nprobe):
        return self.index.search(queries, k, nprobe, num_threads=1)[0]


class Symphony:
    """SymphonyQG of rabitqlib, degree 32: raw vectors (0 bits) or 8 bits beside the codes in the graph."""

    settings = knobs(ef=EF)

    def __init__(self, bits):
        self.bits = bits

    def build(self, vectors, path, threads):
        import rabitqlib

        start = time.perf_counter()
        index = rabitqlib.SymqgIndex(vectors.shape[1], 32, metric="l2", quantization_bits=self.bits)
        index.build(vectors, 200, num_threads=threads)
        seconds = time.perf_counter() - start
        index.save(path)
        return seconds

    def open(self, path):
        import rabitqlib

        self.index = rabitqlib.SymqgIndex.load(path)

    def search(self, queries, k, ef):
        return self.index.search(queries, k, ef, num_threads=1)[0]


class Turbovec:
    """turbovec: looks at every code; its only knob is the width of the codes. Threads are set outside, for rayon."""

    settings = [{}]

    def build(self, vectors, path, threads):
        import numpy
        import turbovec

        start = time.perf_counter()
        index = turbovec.TurboQuantIndex(vectors.shape[1], bit_width=4)
        sample = numpy.random.default_rng(1).choice(len(vectors), min(1024, len(vectors)), replace=False)
        index.calibrate(vectors[sample])
        index.add(vectors)
        index.prepare()
        seconds = time.perf_counter() - start
        index.write(path)
        return seconds

    def open(self, path):
        import turbovec

        self.index = turbovec.TurboQuantIndex.load(path)
        self.index.prepare()

    def search(self, queries, k):
        return self.index.search(queries, k)[1]


PEERS = {
    "usearch-f16": lambda: Usearch("f16"),
    "usearch-i8": lambda: Usearch("i8"),
    "faiss-hnsw-sq8": lambda: Faiss("HNSW16_SQ8", knobs(efSearch=EF)),
    "faiss-ivf-pq": lambda: Faiss(
        "IVF512,PQ192x4fs,Refine(SQfp16)",
        knobs(nprobe=[4, 8, 12, 16, 24, 32, 48, 64, 96, 128], k_factor_rf=[4, 8, 16]),
    ),
    "scann": Scann,
    "rabitq-ivf-7bit": RabitqIvf,
    "symphonyqg-raw": lambda: Symphony(0),
    "symphonyqg-8bit": lambda: Symphony(8),
    "turbovec-4bit": Turbovec,
}


def reply(**fields):
    print(json.dumps(fields), flush=True)


def number(text):
    return int(text) if text.isdigit() else float(text)


def serve(peer, queries, ids_path):
    import numpy

    for line in sys.stdin:
        words = dict(word.split("=", 1) for word in line.split() if "=" in word)
        setting = {name: number(value) for name, value in words.items()}
        k = setting.pop("k")
        start = time.perf_counter()
        found = peer.search(queries, k, **setting)
        seconds = time.perf_counter() - start
        numpy.ascontiguousarray(numpy.asarray(found).astype(numpy.int64).reshape(len(queries), -1)[:, :k]).astype(
            numpy.int32
        ).tofile(ids_path)
        reply(seconds=seconds)


def main(verb, name, *rest):
    import numpy

    peer = PEERS[name]()
    if verb == "build":
        vectors, index, threads = rest
        reply(build_seconds=peer.build(numpy.load(vectors), index, int(threads)))
    else:
        index, queries, ids = rest
        peer.open(index)
        serve(peer, numpy.load(queries), ids)


if __name__ == "__main__":
    main(*sys.argv[1:])
