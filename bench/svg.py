# SPDX-License-Identifier: MIT
"""svg: the two charts that the benchmarks need, as text that diffs well.

Both fit a light and a dark page: lines and words are grey, the colours are of middle brightness.
"""

import math
from html import escape

WIDTH = 720
GREY = "#7d8590"
COLOURS = {"bare-epoll": "#a0a0a0", "bare-uring": "#707070", "berth-epoll": "#2f81f7",
           "berth-uring": "#db6d28"}
OTHER = "#8957e5"
FONT = 'font-family="sans-serif" font-size="12"'


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'


def picture(height, title, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT} '
        f'fill="{GREY}">',
        f"<title>{escape(title)}</title>", text(8, 18, title), *parts, "</svg>"]) + "\n"


def bars(title, rows, unit=""):
    """Horizontal bars. `rows`: name, label, value; a line at 1 where the values are ratios."""
    left, right, step, top = 170, 60, 24, 34
    most = max(value for _, _, value in rows)
    scale = (WIDTH - left - right) / most
    parts = []
    for index, (name, label, value) in enumerate(rows):
        y = top + index * step
        parts += [text(left - 8, y + 14, label, "end"),
                  f'<rect x="{left}" y="{y}" width="{value * scale:.1f}" height="18" '
                  f'fill="{COLOURS.get(name, OTHER)}"/>',
                  text(left + value * scale + 6, y + 14, f"{value:.3g}{unit}")]
    return picture(top + len(rows) * step + 8, title, parts)


def ticks(low, high):
    """Powers of ten from the one below to the one above."""
    return [10.0 ** power
            for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def short(value):
    for limit, unit in ((1 << 20, "Mi"), (1 << 10, "Ki")):
        if value >= limit and value % limit == 0:
            return f"{value // limit:g}{unit}"
    return f"{value:,g}"


def lines(title, names, points, x_label, y_label):
    """Both axes logarithmic. `points`: x, and by name y (or none)."""
    left, right, top, bottom, height = 60, 150, 40, 50, 320
    xs = [x for x, _ in points]
    ys = [y for _, by_name in points for y in by_name.values() if y]
    marks = ticks(min(ys), max(ys))

    def along(value, low, high, begin, end):
        share = (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low) or 1)
        return begin + share * (end - begin)

    def at_x(value):
        return along(value, xs[0], xs[-1], left, WIDTH - right)

    def at_y(value):
        return along(value, marks[0], marks[-1], height - bottom, top)

    parts = [text((left + WIDTH - right) / 2, height - 8, x_label, "middle"), text(8, 34, y_label)]
    for mark in marks:
        parts += [f'<line x1="{left}" x2="{WIDTH - right}" y1="{at_y(mark):.1f}" '
                  f'y2="{at_y(mark):.1f}" stroke="{GREY}" stroke-opacity="0.3"/>',
                  text(left - 6, at_y(mark) + 4, f"{mark:g}", "end")]
    parts += [text(at_x(x), height - bottom + 18, short(x), "middle") for x in xs]
    for index, (name, label) in enumerate(names.items()):
        seen = [(at_x(x), at_y(by_name[name])) for x, by_name in points if by_name.get(name)]
        colour = COLOURS.get(name, OTHER)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in seen)
        parts += [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
                  *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
                    for x, y in seen),
                  f'<rect x="{WIDTH - right + 12}" y="{top + index * 20}" width="12" height="12" '
                  f'fill="{colour}"/>',
                  text(WIDTH - right + 30, top + index * 20 + 11, label)]
    return picture(height, title, parts)
