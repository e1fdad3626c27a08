"""The results as one table."""

import argparse

# Microseconds of CPU per request, server and database together, on PostgreSQL.
AIMS = {"/api/listings": 600, "/api/listings/{id}": 200, "/api/categories/tree": 50}
AIM_READY_S = 0.2
AIM_IDLE_MIB = 40

HEAD = ("request", "req/s", "p50 ms", "p99 ms", "CPU us", "server", "database", "aim", "floor r/s", "floor CPU", "CPU x floor")


def row(route: str, figures: dict, aimed: bool) -> tuple[str, ...]:
    ours, floor = figures["gateway"], figures["floor"]
    total = ours["server_cpu_us"] + ours["database_cpu_us"]
    return (
        f"GET {route}", f"{ours['per_second']:.0f}", f"{ours['p50_ms']:.2f}", f"{ours['p99_ms']:.2f}",
        f"{total:.0f}", f"{ours['server_cpu_us']:.0f}", f"{ours['database_cpu_us']:.0f}",
        f"{AIMS[route]}" if aimed else "-",
        f"{floor['per_second']:.0f}", f"{floor['server_cpu_us']:.1f}", f"{total / floor['server_cpu_us']:.1f}")


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    return [
        "  ".join([cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))])
        for cells in rows
    ]


def table(results: dict, options: argparse.Namespace) -> str:
    lines = [
        "",
        f"{options.listings} listings, wrk with 32 connections, {options.seconds} s each, medians of {options.rounds} "
        "interleaved rounds; CPU in microseconds per request",
    ]
    for name, engine in results["engines"].items():
        rows = [row(route, figures, name == "postgres") for route, figures in engine["routes"].items()]
        lines += ["", engine["title"], *columns([HEAD, *rows])]
        lines.append(f"resident after the load: {engine['resident_after_mib']:.1f} MiB")
    start = results["start"]
    lines += [
        "",
        f"start-up to ready on SQLite: {start['ready_s'] * 1000:.0f} ms (aim: under {AIM_READY_S * 1000:.0f})",
        f"idle on SQLite: {start['idle_resident_mib']:.1f} MiB resident (aim: under {AIM_IDLE_MIB})",
    ]
    return "\n".join(lines)
