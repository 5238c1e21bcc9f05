#!/usr/bin/env python3
"""Portolan and other vector indexes side by side: recall, speed, size and build time on the same data in one run.

    python3 benches/compare/compare.py --data DIR --out DIR
    python3 benches/compare/compare.py --data DIR --out /tmp/try --limit 10000 --questions 200 --peers portolan,hnswlib

DIR of --data holds NAME_docs_f16.npy, NAME_questions_f16.npy and docs.jsonl.gz (a line for each vector, with an "id" and a
"lexname"); NAME_truth_top100_i32.npy is used if it is there. The script makes a virtual environment in --out, installs the
peers of requirements.txt into it from the Python package registry, compiles hnswlib's C++ headers, and runs itself there.

Everything is built on two processors and searched on one. Repeats are interleaved, so that a busy machine slows all peers
alike; the best of --rounds counts. Results: results.json, table.md, plot.png, and with --update-docs docs/benchmarks.md.
"""

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent.parent / "docs" / "benchmarks.md"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of vectors, questions and records")
    parser.add_argument("--out", type=Path, required=True, help="where indexes and results go")
    parser.add_argument("--portolan", type=Path, help="the command; default: $PORTOLAN_CLI, else what cargo built")
    parser.add_argument("--peers", help="only these, by comma: portolan, hnswlib, hnsw_rs and the names in peers.py")
    parser.add_argument("--limit", type=int, help="only the first N vectors, for trials")
    parser.add_argument("--questions", type=int, default=2000, help="how many questions (default 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved repeats (default 3)")
    parser.add_argument("--reuse", action="store_true", help="keep the indexes of an earlier run of the same data")
    parser.add_argument("--update-docs", action="store_true", help="write the tables into docs/benchmarks.md")
    return parser.parse_args()


def inside_venv(out):
    """Runs this script again in a virtual environment with all peers; returns there."""
    folder = (out / "venv").resolve()
    if Path(sys.prefix).resolve() == folder:
        return
    python = folder / "bin" / "python"
    stamp = folder / "installed.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(folder, with_pip=True)
        for line in wanted.splitlines():
            if line and not line.startswith("#"):
                install(python, line)
        stamp.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])


def install(python, package):
    print(f"installing {package}", flush=True)
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package])
    if done.returncode != 0:
        if package == "numpy":
            sys.exit("numpy cannot be installed, and nothing goes without it")
        print(f"  {package} cannot be installed here: its rows will be missing", flush=True)


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    inside_venv(options.out)
    # Only now: these need the packages of the environment.
    import contest
    import data
    import report

    loaded = data.load(options.data, options.out / "work", options.limit, options.questions)
    results = contest.run(options, loaded)
    report.write(results, options.out)
    if options.update_docs:
        report.update_docs(results, DOCS)


if __name__ == "__main__":
    main()
