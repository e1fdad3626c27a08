-- Boosts the listings of the file named by BENCH_SELLERS (a path, a blank, and the seller's token a line), each time
-- under a new key; each of the two threads has half of the sellers. Prints what wrk found.

dofile(os.getenv("BENCH_RESULT"))

local sellers = {}
local threads = 0
local boosts = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    local place = 0
    for line in io.lines(os.getenv("BENCH_SELLERS")) do
        if place % 2 == number then
            local path, token = line:match("^(%S+) (%S+)$")
            sellers[#sellers + 1] = { path = path, authorization = "Bearer " .. token }
        end
        place = place + 1
    end
    body = os.getenv("BENCH_BODY")
    key = os.getenv("BENCH_KEY") .. "-" .. number .. "-"
end

function request()
    boosts = boosts + 1
    local seller = sellers[boosts % #sellers + 1]
    local headers = {
        ["Authorization"] = seller.authorization,
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = key .. boosts,
    }
    return wrk.format("POST", seller.path, headers, body)
end
