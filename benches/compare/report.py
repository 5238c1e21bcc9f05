"""Results as tables, a plot, and the part of docs/benchmarks.md that is measured."""

import json

TARGETS = [0.90, 0.95, 0.99]
PEER = "hnswlib"
BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"


def write(results, out):
    (out / "results.json").write_text(json.dumps(results, indent=1))
    text = "\n\n".join(f"## {title}\n\n{table}" for title, table in sections(results).items())
    (out / "table.md").write_text(text + "\n")
    print(f"\n{text}\n\nin {out}: results.json, table.md, plot.png", flush=True)
    plot(results, out / "plot.png")


def sections(results):
    return {"Setting": setting(results), "Peers": peers(results), "Filtered": filtered(results), "Goals": goals(results)}


def setting(results):
    machine, data = results["machine"], results["data"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(machine["versions"].items()))
    return (
        f"{data['rows']:,} vectors of {data['dimension']} numbers, {data['questions']:,} questions, "
        f"recall@{data['k']}; built on two threads, searched on one; best of {results['rounds']} interleaved rounds. "
        f"{machine['processor']}, {machine['processors']} processors, {machine['system']}, {machine['day']}. {versions}."
    )


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def best(points, target, engine=None):
    """The fastest point that reaches a recall. The search without records counts where it was measured: so do peers'."""
    fitting = [point for point in points if point["recall"] >= target and engine in (None, point.get("engine"))]
    return max(fitting, key=lambda point: point["queries_per_second"], default=None)


def shown(point):
    if point is None:
        return "not reached"
    return f"{point['queries_per_second']:,.0f} @ {point['recall']:.3f} ({point['setting']})"


def engines(facts):
    """None for a peer; for Portolan each way to ask that was measured."""
    return sorted({point.get("engine") for point in facts["points"]}, key=str)


def peers(results):
    header = ["index", *[f"queries/s @ recall >= {target:.2f}" for target in TARGETS], "file", "build"]
    rows = []
    for name, facts in results["peers"].items():
        for engine in engines(facts):
            cells = [shown(best(facts["points"], target, engine)) for target in TARGETS]
            label = f"{name} ({engine})" if engine else name
            rows.append([label, *cells, f"{facts['file_bytes'] / 1e6:.0f} MB", f"{facts['build_seconds']:.1f} s"])
    missing = "".join(f"\n\nLeft out: {name}." for name in results["missing"])
    return table(header, rows) + missing


def filtered(results):
    rows = []
    for name, facts in results["peers"].items():
        for share, points in facts["filtered"].items():
            if points:
                rows.append([name, f"{float(share):.1%}", *[shown(best(points, target)) for target in TARGETS]])
    return table(["index", "rows that match", *[f"queries/s @ recall >= {t:.2f}" for t in TARGETS]], rows)


def goals(results):
    """The ratios against hnswlib of the same run."""
    rows = []

    def row(name, value, goal, at_least=True):
        if value is None:
            rows.append([name, "not measured", goal_text(goal, at_least), ""])
            return
        reached = value >= goal if at_least else value <= goal
        rows.append([name, f"{value:.2f}", goal_text(goal, at_least), "reached" if reached else "missed"])

    for way in [name for name in results["peers"] if name in ("portolan-i8", "portolan-f16")]:
        row(f"{way}: speed at 0.95", speed(results, way, 0.95), 5.0)
        row(f"{way}: speed at 0.99", speed(results, way, 0.99), 4.5)
        row(f"{way}: file", ratio(results, way, "file_bytes"), 0.35, False)
        row(f"{way}: build, times as fast", inverse(ratio(results, way, "build_seconds")), 3.0)
        row(f"{way}: opening, ms", results["peers"][way].get("open_milliseconds"), 1.0, False)
        for share in results["peers"][way]["filtered"]:
            row(f"{way}: filter of {float(share):.1%}, at 0.95", filter_speed(results, way, share), 5.0)
    row("portolan-none: file without vectors", ratio(results, "portolan-none", "file_bytes"), 0.15, False)
    row("45 collections packed: cost at 0.95 against one", cost(results, "portolan-45-packed"), 1.2, False)
    row("45 collections in 45 files: cost at 0.95 against one", cost(results, "portolan-45-files"), 3.0, False)
    return table(["against hnswlib", "value", "goal", ""], rows)


def goal_text(goal, at_least):
    return f"{'at least' if at_least else 'at most'} {goal}"


def inverse(value):
    return 1 / value if value else None


def rate(facts, target):
    point = best(facts["points"], target, counted(facts)) if facts else None
    return point["queries_per_second"] if point else None


def counted(facts):
    """Peers give row numbers, not records: the same of Portolan where it was measured."""
    return "search" if "search" in engines(facts) else None


def quotient(a, b):
    return a / b if a and b else None


def speed(results, way, target):
    found = results["peers"]
    return quotient(rate(found.get(way), target), rate(found.get(PEER), target))


def cost(results, way):
    found = results["peers"]
    return quotient(rate(found.get("portolan-i8"), 0.95), rate(found.get(way), 0.95))


def ratio(results, way, key):
    found = results["peers"]
    return quotient(found.get(way, {}).get(key), found.get(PEER, {}).get(key))


def filter_speed(results, way, share):
    of = lambda name: best(results["peers"].get(name, {}).get("filtered", {}).get(share, []), 0.95)
    mine, other = of(way), of(PEER)
    return mine and other and mine["queries_per_second"] / other["queries_per_second"]


def frontier(points):
    """The points that no other beats in both recall and speed."""
    kept, fastest = [], 0.0
    for point in sorted(points, key=lambda point: (-point["recall"], -point["queries_per_second"])):
        if point["queries_per_second"] > fastest:
            kept.append(point)
            fastest = point["queries_per_second"]
    return kept


def plot(results, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 6))
    axes.set_prop_cycle(color=pyplot.get_cmap("tab20").colors)
    for name, facts in results["peers"].items():
        for engine in engines(facts):
            points = frontier([point for point in facts["points"] if point.get("engine") == engine])
            points = [point for point in points if point["recall"] >= 0.7]
            label = f"{name} ({engine})" if engine else name
            line = {"linewidth": 2.5} if name.startswith("portolan") else {"linewidth": 1, "linestyle": "--"}
            axes.plot([p["recall"] for p in points], [p["queries_per_second"] for p in points], marker=".", label=label, **line)
    axes.set_yscale("log")
    axes.set_xlabel(f"recall@{results['data']['k']}")
    axes.set_ylabel("queries a second, one thread")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


def update_docs(results, path):
    """Puts each table between its markers; text outside of them is people's."""
    text = path.read_text()
    for title, content in sections(results).items():
        begin, end = (marker.format(title.lower()) for marker in (BEGIN, END))
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise SystemExit(f"{path} has no {begin} ... {end}")
        text = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    path.write_text(text)
