-- Asks for the paths of the file named by BENCH_PATHS, each thread from a place of its own; prints what wrk found.

dofile(os.getenv("BENCH_RESULT"))

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
