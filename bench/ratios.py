# SPDX-License-Identifier: MIT
"""ratios: what rounds say about two servers, on a machine whose speed comes and goes.

A machine has slow moments that last for seconds, longer than a window and shorter than a run. So
two servers are compared within a round only, and the rounds that count are the better half: those
in which both together were cheapest.
"""

from statistics import geometric_mean, median

from rows import BY_NAME


def better_half(values):
    values = sorted(value for value in values if value)
    return values[: max(1, len(values) // 2)]


def cost(values):
    """The mean of the better half of the rounds; none if there was none."""
    half = better_half(values)
    return sum(half) / len(half) if half else None


def paired(reference, row):
    """Reference divided by row, in the rounds where both together were cheapest: a list."""
    pairs = [(a, b) for a, b in zip(reference, row) if a and b]
    pairs.sort(key=lambda pair: pair[0] * pair[1])
    return [a / b for a, b in pairs[: max(1, len(pairs) // 2)]]


def efficiency(reference, row):
    """The median of the paired ratios, with the quarter below it and the quarter above it."""
    ratios = sorted(paired(reference, row))
    if not ratios:
        return None
    quarter = len(ratios) // 4
    return {"median": median(ratios), "low": ratios[quarter], "high": ratios[-1 - quarter]}


def mean(ratios):
    ratios = [ratio for ratio in ratios if ratio]
    return geometric_mean(ratios) if ratios else None


def efficiencies(cell):
    """By row of a cell: against the reference of its kind."""
    rows = cell["rows"]
    return {name: efficiency(rows[BY_NAME[name].reference]["cpu_us"], row["cpu_us"])
            for name, row in rows.items() if BY_NAME[name].reference in rows}
