# SPDX-License-Identifier: MIT
"""page: the figures of a run as Markdown tables and charts.

A table says what was measured and nothing else; which cells are below the aim is read off the
same figures, so that no word of the page can be kinder than they are.
"""

import ratios
import svg
from rows import BY_NAME

AIM = 0.97  # of the bare loop
BARE = {"bare-epoll", "bare-uring", "bare-udp"}


def table(heads, lines):
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, rule, *lines]) + "\n"


def label(name):
    return BY_NAME[name].label


def number(value, digits=3):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def of_udp(rounds, wanted=True):
    """The cells of datagrams, or those of streams: other servers, another yardstick."""
    return {"cells": [cell for cell in rounds["cells"]
                      if any(BY_NAME[name].is_udp for name in cell["rows"]) == wanted]}


def present(cells):
    return [name for name in BY_NAME if any(name in cell["rows"] for cell in cells)]


def cell_lines(cells, names, of):
    return [[cell["title"], *(of(cell, name) if name in cell["rows"] else "–" for name in names)]
            for cell in cells]


# ── Cost per request ─────────────────────────────────────────────────────────────────────────


def costs(rounds):
    cells = rounds["cells"]
    names = present(cells)

    def cost(cell, name):
        return number(ratios.cost(cell["rows"][name]["cpu_us"]))

    return table(["us of CPU per request", *map(label, names)], cell_lines(cells, names, cost))


def means(cells):
    """By row: the geometric mean over the cells that it took part in, against its reference."""
    found = {}
    for name in present(cells):
        if name in BARE:
            continue
        told = [ratios.efficiencies(cell).get(name) for cell in cells if name in cell["rows"]]
        found[name] = ratios.mean([ratio["median"] for ratio in told if ratio])
    return {name: mean for name, mean in found.items() if mean}


def efficiency(rounds):
    cells = rounds["cells"]
    names = [name for name in present(cells) if name not in BARE]
    against = {cell["name"]: ratios.efficiencies(cell) for cell in cells}

    def ratio(cell, name):
        told = against[cell["name"]].get(name)
        return f"{told['median']:.2f}" if told else "–"

    found = means(cells)
    lines = cell_lines(cells, names, ratio)
    lines.append(["**geometric mean**", *(f"**{found[name]:.2f}**" if name in found else "–"
                                          for name in names)])
    return table(["bare loop / server", *map(label, names)], lines)


def drivers(rounds):
    """berth on io_uring against berth on epoll."""
    lines, told = [], []
    for cell in rounds["cells"]:
        rows = cell["rows"]
        if "berth-epoll" not in rows or "berth-uring" not in rows:
            continue
        ratio = ratios.efficiency(rows["berth-epoll"]["cpu_us"], rows["berth-uring"]["cpu_us"])
        if ratio:
            told.append(ratio["median"])
            lines.append([cell["title"], f"{ratio['median']:.2f}",
                          f"{ratio['low']:.2f} to {ratio['high']:.2f}"])
    if told:
        lines.append(["**geometric mean**", f"**{ratios.mean(told):.2f}**", ""])
    return table(["", "epoll / io_uring", "middle half"], lines)


def behind(rounds):
    lines = []
    for cell in rounds["cells"]:
        against = ratios.efficiencies(cell)
        for name in ("berth-epoll", "berth-uring"):
            told = against.get(name)
            if told and told["median"] < AIM:
                lines.append(f"- {cell['title']}: {label(name)} {told['median']:.3f} "
                             f"({told['low']:.3f} to {told['high']:.3f})")
    if not lines:
        return f"In no cell is berth below {AIM} of its bare loop.\n"
    return (f"Below {AIM} of its bare loop, with the middle half of the ratios:\n\n"
            + "\n".join(lines) + "\n")


def speeds(rounds):
    def speed(cell, name):
        row = cell["rows"][name]
        rates = [1 / rate for rate in row["requests_per_s"] if rate]
        cost = ratios.cost(rates)
        return number(1 / cost) if cost else "–"

    names = present(rounds["cells"])
    return table(["requests/s", *map(label, names)], cell_lines(rounds["cells"], names, speed))


def efficiency_chart(rounds):
    found = means(rounds["cells"])
    return svg.bars("Efficiency: CPU of the bare loop / CPU of the server, geometric mean",
                    [(name, label(name), mean) for name, mean in found.items()])


# ── What no noise moves ──────────────────────────────────────────────────────────────────────


def counts(found):
    lines = []
    for name, row in found["rows"].items():
        line = [label(name)]
        for connections in ("50", "1"):
            figure = row.get(connections, {})
            line += [number(figure.get("instructions"), 4),
                     f"{figure['system_calls']:.3f}" if figure else "–"]
        memory = row.get("memory", {})
        line += [number(memory.get(key)) if memory else "–" for key in ("idle", "after_one_echo")]
        lines.append(line)
    return table(["", "instructions, 50 connections", "system calls", "instructions, 1 connection",
                  "system calls", "bytes per idle connection", "after one echo"], lines)


# ── Moments ──────────────────────────────────────────────────────────────────────────────────


def moments(found):
    p50 = table(["median latency of one connection", "us"],
                [[label(name), f"{value:.1f}"] for name, value in found["p50_us"].items()])
    busy = table(["the same, where nobody sleeps (busy polling)", "us"],
                 [[label(name), f"{value:.1f}"] for name, value in found["busy_p50_us"].items()])
    accept = table(["accepting a connection", "us of CPU"],
                   [[label(name), f"{value:.1f}"] for name, value in found["accept_us"].items()])
    broadcast = table(["one buffer to 5,000 connections", "ns of CPU for each"],
                      [[label(name), f"{value:.0f}"]
                       for name, value in found["broadcast_ns"].items()])
    stop = table(["immediate stop of 5,000 idle connections", "ms"],
                 [[label(name), f"{value:.1f}"] for name, value in found["stop_ms"].items()])
    post = table(["ns", "a bare push", "EventLoop::post", "until a sleeping loop runs it"],
                 [[f"berth, {each['driver']}", number(each["bare"]), number(each["posted"]),
                   number(each["latency"])] for each in found["post_ns"]])
    return "\n".join((p50, busy, accept, broadcast, stop, post))


# ── Services, options, generators ────────────────────────────────────────────────────────────


def http(found):
    lines = [[name, *(part for mode in found for part in (
        number(found[mode][name]["microseconds"]), number(found[mode][name]["answers_per_second"]),
        f"{found[mode][name]['efficiency']:.3f}"))] for name in next(iter(found.values()))]
    heads = [f"{what}, {mode}" for mode in found for what in ("us per answer", "answers/s",
                                                              "efficiency")]
    return table(["", *heads], lines)


def proxy(found):
    ways = list(next(iter(found.values())))
    return table(["MB/s, and the fraction of direct", *ways],
                 [[cell, *(f"{figures[way]['bytes_per_s'] / 1e6:,.0f} "
                           f"({figures[way]['of_direct']:.2f})" for way in ways)]
                  for cell, figures in found.items()])


def options(found):
    lines = []
    for cell in found.values():
        for name, row in cell["servers"].items():
            ratio = row["of_plain"]
            told = f"{ratio['median']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"
            lines.append([cell["title"], name, number(row["cpu_us"]), told])
    return table(["load", "server", "us of CPU per message", "of the plain one"], lines)


def generators(found):
    return table(["", "wrk", "berth load", "ratio"],
                 [[figure, number(told["wrk"]), number(told["berth load"]),
                   f"{told['ratio']:.3f}"] for figure, told in found.items()])


# ── Scaling ──────────────────────────────────────────────────────────────────────────────────


def scaling_chart(curve, title, x_label):
    points = [(point["value"], point["cpu_us"]) for point in curve["points"]]
    names = {name: label(name) for name in BY_NAME if any(name in each for _, each in points)}
    return svg.lines(title, names, points, x_label, "us of CPU per request")


def loops(curve):
    names = list(curve["points"][0]["cpu_us"])
    return table(["loops", *map(label, names)],
                 [[str(point["value"]), *(number(point["cpu_us"][name]) for name in names)]
                  for point in curve["points"]])
