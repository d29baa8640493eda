"""What another implementation of HdrHistogram reads from the files of real runs: scripts/hlog-interop runs this."""

import base64
import copy
import json
import math
import statistics
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

PROGRAM = str(Path(sys.argv[1]).resolve())
# Our bounds; a log's own are in each of its histograms.
LOWEST, HIGHEST, DIGITS = 1, 3_600_000_000_000, 3
PERCENTILES = {"p50_ns": 0.5, "p90_ns": 0.9, "p95_ns": 0.95, "p99_ns": 0.99, "p99_9_ns": 0.999}

SCENARIO = """
what   = "Responses from microseconds to seconds"
why    = "Every part of the histogram's range is written and read"
guards = ["response.p99"]
target = "pool"
profile = false
[load]
arrivals = {arrivals}
warmup   = "50ms"
length   = "{length}"
rounds   = 1
[[load.mix]]
tool    = "echo"
payload = {{ shape = "prose", size = "64B" }}
service = "{service}"
[pool]
dispatch = "tiered"
hot  = {{ worker = "function", min-ready = 4, spares = 0, max = 4 }}
warm = {{ max = 0 }}
cold = {{ max = 0 }}
[matrix]
"pool.hot.max" = ["4", "5"]
[pool.tools]
echo = {{ tier = "hot" }}
"""


class Mismatch(Exception):
    """Something that the two implementations do not agree in."""


def must_be_equal(where, what, read, ours):
    if read != ours:
        raise Mismatch(f"{where}: {what}: the other implementation reads {read}, poolbench says {ours}")
    return 1


def at(histogram, shares):
    """The value at each share. Both implementations take the value at a rank, but this one rounds share by count to the nearest rank and ours
    rounds up, as the Java one does: so it is asked for the very rank."""
    total = histogram.get_total_count()
    ranks = {q: max(1, math.ceil(q * total)) for q in shares}
    asked = {q: 100.0 * rank / total if q > 0 else 0.0 for q, rank in ranks.items()}
    found = histogram.get_percentile_to_value_dict(list(asked.values()))
    return {q: found[percentile] for q, percentile in asked.items()}


def buckets(histogram):
    counts = enumerate(histogram.counts)
    return [(histogram.get_value_from_index(index), count) for index, count in counts if count > 0]


def of_record(text):
    """A histogram of a record: V2 without the compression that logs have around it."""
    return HdrHistogram.decode(zlib.compress(base64.b64decode(text)), b64_wrap=False)


def of_log(path):
    """The case a log is of, its one interval, and what the interval's line calls the maximum."""
    reader = HistogramLogReader(str(path), HdrHistogram(LOWEST, HIGHEST, DIGITS))
    try:
        histogram, more = reader.get_next_interval_histogram(), reader.get_next_interval_histogram()
    except Exception as error:
        raise Mismatch(f"{path}: the other implementation cannot read it: {error!r}") from error
    if histogram is None or more is not None:
        raise Mismatch(f"{path}: expected one interval")
    lines = path.read_text().splitlines()
    return lines[0].removeprefix("#"), histogram, lines[-1].split(",")[2]


class Run:
    """A run's files as another program would read them."""

    def __init__(self, path):
        self.path = path
        self.report = json.loads((path / "report.json").read_text())
        self.logs = {}
        for log in sorted((path / "hlog").iterdir()):
            case, histogram, largest = of_log(log)
            self.logs[case] = (log, histogram, largest)
        self.rounds = {}
        for line in (path / "records.jsonl").read_text().splitlines():
            record = json.loads(line)
            if record["kind"] == "measured" and record["status"]["is"] == "measured":
                of_case = self.rounds.setdefault(record["case"], {})
                must_be_equal(path, f"records of {record['case']}, round {record['round']}", 1, 1 + (record["round"] in of_case))
                of_case[record["round"]] = (record, of_record(record["histograms"]["response"]))

    def check(self):
        """Compares all of it; how many values were equal."""
        cases = [case for scenario in self.report["scenarios"] for case in scenario["cases"]]
        checked = must_be_equal(self.path, "cases with a log", sorted(self.logs), sorted(case["id"] for case in cases))
        return checked + sum(self.check_log(case) + self.check_rounds(case) for case in cases)

    def check_log(self, case):
        """The log beside what report.json says of all rounds together."""
        path, histogram, largest = self.logs[case["id"]]
        ok = sum(row["count"] for row in case["outcomes"] if row["outcome"] == "ok")
        checked = must_be_equal(path, "total count", histogram.get_total_count(), ok)
        response = case["response"]
        checked += must_be_equal(path, "max", histogram.get_max_value(), response["max_ns"]["high"])
        checked += must_be_equal(path, "max column, ms", f"{histogram.get_max_value() / 1e6:.3f}", largest)
        curve = at(histogram, [point["share"] for point in case["spectrum"]])
        for point in case["spectrum"]:
            checked += must_be_equal(path, f"p{100 * point['share']:.6g}", curve[point["share"]], point["ns"])
        if case["rounds_measured"] == 1:
            read = at(histogram, PERCENTILES.values())
            for name, q in PERCENTILES.items():
                # Blank where it rests on too few samples.
                if response[name]["value"] is not None:
                    checked += must_be_equal(path, f"p{100 * q:g}", read[q], response[name]["value"])
        return checked

    def check_rounds(self, case):
        """The log beside the sum of the rounds' own histograms, and each figure of report.json beside the median over rounds."""
        path, histogram, _ = self.logs[case["id"]]
        rounds = self.rounds[case["id"]]
        total = HdrHistogram(LOWEST, HIGHEST, DIGITS)
        for _, of_round in rounds.values():
            total.add(of_round)
        checked = must_be_equal(path, "buckets, beside the sum of its rounds'", buckets(histogram), buckets(total))
        begin = min(record["started_unix_ms"] for record, _ in rounds.values())
        length = sum(record["window_ns"] for record, _ in rounds.values()) / 1e6
        checked += must_be_equal(path, "begin, ms", round(histogram.get_start_time_stamp()), begin)
        checked += must_be_equal(path, "end, ms", round(histogram.get_end_time_stamp()), round(begin + length))
        for name, q in PERCENTILES.items():
            figure = case["response"][name]
            if figure["value"] is not None and figure["rounds"] == len(rounds):
                median = statistics.median(at(of_round, [q])[q] for _, of_round in rounds.values())
                checked += must_be_equal(self.path / "report.json", f"{case['id']}: p{100 * q:g} over rounds", median, figure["value"])
        return checked


def poolbench(*args):
    ran = subprocess.run([PROGRAM, *args], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        sys.exit(f"error: poolbench {' '.join(args)} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}")


def finds_what_is_wrong(run):
    """A check that cannot fail checks nothing: each doctored value must be found, by its name."""
    first = run.report["scenarios"][0]["cases"][0]
    case = first["id"]

    def spoilt_report(change):
        spoilt = copy.copy(run)
        spoilt.report = copy.deepcopy(run.report)
        change(spoilt.report["scenarios"][0]["cases"][0])
        return spoilt

    def spoilt_log():
        spoilt = copy.copy(run)
        path, histogram, largest = run.logs[case]
        other = HdrHistogram.decode(histogram.encode())
        fullest = max(range(len(other.counts)), key=lambda index: other.counts[index])
        other.counts[fullest] -= 1
        other.counts[fullest + 1] += 1
        spoilt.logs = {**run.logs, case: (path, other, largest)}
        return spoilt

    def add(dictionary, key, difference):
        dictionary[key] += difference

    doctored = [
        ("p99:", spoilt_report(lambda c: add(c["response"]["p99_ns"], "value", 1))),
        ("p50:", spoilt_report(lambda c: add(c["response"]["p50_ns"], "value", -1))),
        ("max:", spoilt_report(lambda c: add(c["response"]["max_ns"], "high", 1))),
        ("total count:", spoilt_report(lambda c: add(c["outcomes"][0], "count", 1))),
        ("p90:", spoilt_report(lambda c: add(c["spectrum"][10], "ns", 1))),
        ("cases with a log:", spoilt_report(lambda c: c.update(id="it/other"))),
        ("buckets, beside the sum of its rounds'", spoilt_log()),
    ]
    for what, spoilt in doctored:
        try:
            spoilt.check()
        except Mismatch as found:
            if what not in str(found):
                sys.exit(f"error: a doctored value was called something else than '{what}': {found}")
        else:
            sys.exit(f"error: a doctored value was not found: {what}")
    print(f"the check itself: {len(doctored)} doctored values found")


def main():
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        loads = {
            "virtual": {"arrivals": '{ kind = "poisson", rate = "600/s" }', "length": "60s", "service": "pareto 1ms 1.5"},
            "live": {"arrivals": '{ kind = "closed", clients = 4 }', "length": "3s", "service": "lognormal 200us 1.0"},
        }
        for name, load in loads.items():
            folder = place / name / "interop"
            folder.mkdir(parents=True)
            (folder / "load.toml").write_text(SCENARIO.format(**load))

        def run(out, kind, *more):
            poolbench("run", "-q", "--scenarios", str(place / kind), "--out", str(place / out), *more)
            return Run(place / out)

        one = run("one", "virtual", "--virtual")
        three = run("three", "virtual", "--virtual", "--rounds", "3", "--seed", "2")
        live = run("live-run", "live", "--allow-debug")
        poolbench("merge", str(one.path), str(three.path), "--out", str(place / "merged"))
        merged = Run(place / "merged")
        finds_what_is_wrong(one)
        for found in [one, three, live, merged]:
            values = sum(log[1].get_total_count() for log in found.logs.values())
            print(f"{found.path.name}: {len(found.logs)} logs with {values} values, {found.check()} comparisons equal")
        named = [case["response"][name]["value"] for case in one.report["scenarios"][0]["cases"] for name in PERCENTILES]
        must_be_equal(one.path, "percentiles up to p99.9 that are blank", named.count(None), 0)
        for case, (path, histogram, _) in merged.logs.items():
            total = HdrHistogram(LOWEST, HIGHEST, DIGITS)
            total.add(one.logs[case][1])
            total.add(three.logs[case][1])
            must_be_equal(path, "buckets, beside the sum of the two runs' logs", buckets(histogram), buckets(total))
            must_be_equal(path, "encoded bytes, beside the sum of the two runs' logs", histogram.encode(), total.encode())
        print(f"merged: each of {len(merged.logs)} logs is the sum of the two runs'")


try:
    main()
except Mismatch as mismatch:
    sys.exit(f"error: {mismatch}")
