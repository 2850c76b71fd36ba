-- Follows the addresses in the file named first, one after the other, from a random one on;
-- what comes second is put before each. Prints what was answered as one line of JSON.

local paths, number = {}, 0

init = function(arguments)
    for path in io.lines(arguments[1]) do
        paths[#paths + 1] = (arguments[2] or "") .. path
    end
    math.randomseed(os.time())
    number = math.random(#paths)
    wrk.headers["User-Agent"] =
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
end

request = function()
    number = number % #paths + 1
    return wrk.format("GET", paths[number])
end

done = function(summary)
    local errors = summary.errors
    io.write(string.format(
        '{"answered": %d, "refused": %d, "broken": %d, "seconds": %f}\n',
        summary.requests,
        errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        summary.duration / 1000000
    ))
end
