"""A picture of what was measured, as SVG: panels with lines, one below the other."""

import dataclasses
import html
import math

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 880, 220, 70, 20, 70, 90
COLOURS = ("#1b6ca8", "#c8502d", "#3a7d44", "#7a4e9e")


@dataclasses.dataclass
class Panel:
    title: str
    y_label: str
    lines: list  # of (name, [(x, y)...]), drawn as steps
    x_end: float


def ticks(end, about=6):
    """Round steps from 0 to at least end."""
    raw = max(end, 1e-9) / about
    size = 10 ** math.floor(math.log10(raw))
    step = next(it * size for it in (1, 2, 2.5, 5, 10) if it * size >= raw)
    return [i * step for i in range(math.ceil(end / step - 1e-9) + 1)]


def text(x, y, what, anchor="middle", size=13, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {more}>{html.escape(what)}</text>'


def number(value):
    return f"{value:g}"


def draw_panel(panel, top, x_label):
    xs = [tick for tick in ticks(panel.x_end, 9) if tick <= panel.x_end]
    ys = ticks(max((y for _, points in panel.lines for _, y in points), default=1) or 1, 4)
    inner = WIDTH - LEFT - RIGHT

    def x(value):
        return LEFT + inner * value / panel.x_end

    def y(value):
        return top + PANEL * (1 - value / ys[-1])

    parts = [text(LEFT, top - 30, panel.title, "start", 15, 'font-weight="bold"'),
             text(18, top + PANEL / 2, panel.y_label, more=f'transform="rotate(-90 18 {top + PANEL / 2})"')]
    for tick in ys:
        parts.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, y(tick) + 4, number(tick), "end", 12))
    for tick in xs:
        parts.append(f'<path d="M{x(tick):.1f} {top + PANEL}v5" stroke="#444"/>')
        parts.append(text(x(tick), top + PANEL + 20, number(tick), size=12))
    parts.append(f'<path d="M{LEFT} {top}V{top + PANEL}H{WIDTH - RIGHT}" fill="none" stroke="#444"/>')
    parts.append(text(LEFT + inner / 2, top + PANEL + 38, x_label, size=12))
    legend = LEFT
    for (name, points), colour in zip(panel.lines, COLOURS):
        path, before = "", 0
        for at, value in points:
            path += f"{'L' if path else 'M'}{x(at):.1f} {y(before):.1f}L{x(at):.1f} {y(value):.1f}"
            before = value
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<path d="M{legend} {top - 13}h22" stroke="{colour}" stroke-width="3"/>')
        parts.append(text(legend + 28, top - 9, name, "start", 12))
        legend += 28 + 7 * len(name) + 30
    return parts


def draw(panels, title, x_label="seconds since clients may switch"):
    height = TOP + len(panels) * (PANEL + GAP) + 10
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
             'font-family="sans-serif">', f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
             text(WIDTH / 2, 24, title, size=16)]
    for i, panel in enumerate(panels):
        parts += draw_panel(panel, TOP + 10 + i * (PANEL + GAP), x_label)
    return "\n".join([*parts, "</svg>", ""])
