-- Sends the same request over and over; the last line that it prints is JSON: what was measured.
local body = os.getenv("PENSTOCK_BENCH_BODY")
if body then
  local file = assert(io.open(body, "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = os.getenv("PENSTOCK_BENCH_TYPE")
  file:close()
end

-- Milliseconds that each connection waits before its next request.
local pause = tonumber(os.getenv("PENSTOCK_BENCH_PAUSE") or "0")
if pause > 0 then
  function delay()
    return pause
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local form = '{"requests": %d, "seconds": %f, "failures": %d, "p50": %f, "p99": %f, "p999": %f}\n'
  local at = function(share) return latency:percentile(share) / 1000 end
  io.write(form:format(
    summary.requests, summary.duration / 1e6, failures, at(50), at(99), at(99.9)
  ))
end
