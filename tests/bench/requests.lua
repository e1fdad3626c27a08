-- Asks for the paths of the file named by BENCH_PATHS, each thread from a place of its own; prints what wrk found.

local paths = {}
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    for path in io.lines(os.getenv("BENCH_PATHS")) do
        paths[#paths + 1] = wrk.format("GET", path)
    end
    next_one = math.floor(number * #paths / 2)
end

function request()
    next_one = next_one % #paths + 1
    return paths[next_one]
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"requests": %d, "micros": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
