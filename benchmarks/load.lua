-- wrk's script: sends one kind of request, for each row as often as for any other; reports in JSON.

local method, path, rows

function init(arguments)
   method, path, rows = arguments[1], arguments[2], tonumber(arguments[3])
end

function request()
   local id = math.random(rows)
   if path == "/create?id=" and math.random(2) == 1 then
      id = rows + math.random(2 ^ 30) -- half of them are created
   end
   if method == "GET" then
      return wrk.format("GET", path .. id)
   end
   local address = method == "POST" and path or path .. id
   return wrk.format(method, address, {["Content-Type"] = "application/json"}, '{"name": "Ada Lovelace"}')
end

function done(summary, latency, requests)
   local errors = summary.errors
   print(string.format(
      'report: {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d}',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout
   ))
end
