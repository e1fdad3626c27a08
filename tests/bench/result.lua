-- Prints what wrk found, for attack.py.

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"requests": %d, "micros": %d, "p50": %d, "p99": %d, "slowest": %d, "refused": %d, ' ..
        '"not_connected": %d, "not_sent": %d, "cut_off": %d, "late": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
        errors.status, errors.connect, errors.write, errors.read, errors.timeout))
end
