-- wrk's script: GETs a row by its id, each as often as any other, or POSTs a new one; reports in JSON.

local method, rows

function init(arguments)
   method, rows = arguments[1], tonumber(arguments[2])
end

function request()
   if method == "GET" then
      return wrk.format("GET", "/?id=" .. math.random(rows))
   end
   return wrk.format("POST", "/", {["Content-Type"] = "application/json"}, '{"name": "Ada Lovelace"}')
end

function done(summary, latency, requests)
   local errors = summary.errors
   print(string.format(
      'report: {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d}',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout
   ))
end
