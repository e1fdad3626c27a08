"""The results as tables."""

import argparse

# Microseconds of CPU per request, server and database together, on PostgreSQL.
AIMS = {"/api/listings": 600, "/api/listings/{id}": 200, "/api/categories/tree": 50}
AIM_READY_S = 0.2
AIM_IDLE_MIB = 40
# Journals per second as a multiple of pgbench's TPC-B.
AIM_TIMES_TPC_B = {"single": 1.5, "poster": 3}
# The rate into one account as a part of the rate over many.
AIM_HOT = 0.9
AIM_BOOST_CPU_US = 1_200
AIM_WEBHOOK_P99_MS = 1_000
# Deliveries per second of the server's CPU as a multiple of the official server's, by broadcasts in flight.
AIM_TIMES_NODE = {1: 2, 16: 9}
AIM_IDLE_SOCKET_KIB = 11
# What one stuck reader may add to the others' p99, as a part of it.
AIM_STUCK = 1.2
# From a request at one gateway to its event at a socket of another, 99 of 100.
AIM_HOP_MS = 50

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


def lists(engines: dict, options: argparse.Namespace) -> list[str]:
    lines = [
        "",
        f"{options.listings} listings, wrk with 32 connections, {options.seconds} s each, medians of {options.rounds} "
        "interleaved rounds; CPU in microseconds per request",
    ]
    for name, engine in engines.items():
        rows = [row(route, figures, name == "postgres") for route, figures in engine["routes"].items()]
        lines += ["", engine["title"], *columns([HEAD, *rows])]
        lines.append(f"resident after the load: {engine['resident_after_mib']:.1f} MiB")
    return lines


def start(figures: dict) -> list[str]:
    return [
        "",
        f"start-up to ready on SQLite: {figures['ready_s'] * 1000:.0f} ms (aim: under {AIM_READY_S * 1000:.0f})",
        f"idle on SQLite: {figures['idle_resident_mib']:.1f} MiB resident (aim: under {AIM_IDLE_MIB})",
    ]


def money(engines: dict, options: argparse.Namespace) -> list[str]:
    lines = ["", f"journals by 32 callers, {options.seconds} s each, medians of {options.rounds} interleaved rounds; "
                 "after each the books were proved right"]
    for name, engine in engines.items():
        journals, measure = engine["journals"], engine["measure"]
        base = journals[measure]["per_second"]
        rows = [
            (form, f"{figures['per_second']:.0f}", f"{figures['per_second'] / base:.2f}",
             f"{AIM_TIMES_TPC_B[form]}" if name == "postgres" and form in AIM_TIMES_TPC_B else "-")
            for form, figures in journals.items()
        ]
        lines += ["", engine["title"], *columns([("journals", "per s", f"x {measure}", "aim"), *rows])]
        if "hot" in journals:
            hot = journals["hot"]["per_second"] / journals["spread"]["per_second"]
            lines.append(f"all into the accounts of boosts, beside spread over the house: {hot:.2f} (aim: {AIM_HOT})")
        boosts = engine["boosts"]
        total = boosts["server_cpu_us"] + boosts["database_cpu_us"]
        lines.append(
            f"boosts over HTTP: {boosts['per_second']:.0f} per s, p50 {boosts['p50_ms']:.1f} ms, p99 "
            f"{boosts['p99_ms']:.1f} ms, CPU {total:.0f} us (server {boosts['server_cpu_us']:.0f}, database "
            f"{boosts['database_cpu_us']:.0f}; aim: at most {AIM_BOOST_CPU_US})")
        webhooks = engine["webhooks"]
        lines.append(
            f"{webhooks['webhooks']} webhooks at once: answered in {webhooks['seconds']:.1f} s, p50 "
            f"{webhooks['p50_ms']:.0f} ms, p99 {webhooks['p99_ms']:.0f} ms (aim: under {AIM_WEBHOOK_P99_MS}), slowest "
            f"{webhooks['slowest_ms']:.0f} ms; {webhooks['orders']} orders meanwhile, the slowest in "
            f"{webhooks['slowest_order_ms']:.0f} ms; all credited {webhooks['credited_after_s']:.1f} s later")
    return lines


def realtime(measured: dict, options: argparse.Namespace) -> list[str]:
    lines = ["", f"Socket.IO: one room, one emitter, 100 bytes, {options.seconds} s each, medians of {options.rounds} "
                 "interleaved rounds, beside the official server"]
    for sockets, servers in measured.items():
        ours, node = servers["ours"], servers["node"]
        rows = []
        for mine, theirs in zip(ours["results"], node["results"]):
            aim = AIM_TIMES_NODE.get(mine["in_flight"])
            rows.append((
                f"{mine['in_flight']} in flight", f"{mine['per_second']:.0f}", f"{mine['per_cpu_second']:.0f}",
                f"{mine['p50_ms']:.1f}", f"{mine['p99_ms']:.1f}", f"{theirs['per_cpu_second']:.0f}",
                f"{theirs['p99_ms']:.1f}", f"{mine['per_cpu_second'] / theirs['per_cpu_second']:.1f}",
                f"{aim}" if aim else "-"))
        head = ("broadcasts", "per s", "per CPU s", "p50 ms", "p99 ms", "node", "node p99", "x node", "aim")
        lines += ["", f"{sockets} sockets", *columns([head, *rows])]
        lines.append(f"an idle socket more: {ours['idle_kib_per_socket']:.2f} KiB resident (aim: at most "
                     f"{AIM_IDLE_SOCKET_KIB}; the official server: {node['idle_kib_per_socket']:.2f})")
    return lines


def stuck(measured: dict) -> list[str]:
    alone, beside = measured["alone_p99_ms"], measured["beside_p99_ms"]
    return [
        "",
        f"{measured['sockets']} sockets and one that does not read, {measured['in_flight']} broadcasts in flight: p99 "
        f"{beside:.1f} ms beside it, {alone:.1f} ms alone, {beside / alone:.2f} times (aim: at most {AIM_STUCK}); it was "
        f"cut in {measured['cuts']} of {len(measured['rounds'])} rounds, at {measured['max_queue'] // 1024} KiB",
    ]


def hops(measured: dict) -> list[str]:
    return [
        "",
        f"two gateways and Redis, {measured['hops']} requests at one: the event at a socket of the other after p50 "
        f"{measured['p50_ms']:.1f} ms, p99 {measured['p99_ms']:.1f} ms (aim: under {AIM_HOP_MS})",
    ]


def table(results: dict, options: argparse.Namespace) -> str:
    lines = []
    if "engines" in results:
        lines += lists(results["engines"], options)
    if "money" in results:
        lines += money(results["money"], options)
    if "realtime" in results:
        lines += realtime(results["realtime"], options)
        lines += stuck(results["stuck"])
        lines += hops(results["hops"])
    if "start" in results:
        lines += start(results["start"])
    return "\n".join(lines)
