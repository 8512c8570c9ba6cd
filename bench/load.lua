-- A wrk script: sends one kind of request to paths from a file, in order, over and over.
-- Arguments after "--": METHOD, FILE of paths (one a line), BODY ("" for none), LIMIT (stop after
-- so many responses: it says "limit reached" and waits for SIGINT; 0 for wrk's own -d). Its last
-- line of output is the result as JSON.

local requests, sent, received, limit = {}, 0, 0, 0

function init(args)
  local method, paths, body = args[1], args[2], args[3]
  limit = tonumber(args[4])
  local headers = {}
  if body == "" then body = nil else headers["Content-Type"] = "application/json" end
  for path in io.lines(paths) do
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
  -- wrk parses a response for Lua only if this function exists: it costs the driver much.
  if limit > 0 then
    function response()
      received = received + 1
      if received == limit then
        print("limit reached")
        io.flush()
        wrk.thread:stop()
      end
    end
  end
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, ' ..
    '"bad_status": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3,
    e.status, e.connect + e.read + e.write + e.timeout))
end
