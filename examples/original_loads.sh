#!/usr/bin/env bash
# The three loads of the original system with their original parameters.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: [BASE=http://localhost:8088] [LOAD_TIME=3S] examples/original_loads.sh [LOAD…]

LOAD is stamps, orders or deliveries; all three by default. Needs siege (Debian: siege) and a
running server. Ends with status 1 when fewer requests succeed than are expected. LOAD_TIME shortens
each load. The original's orders met a payment that answers late; for the same, start the server so:
./dev run --fault payment-delay=400ms..620ms
TEXT
}
for word in "$@"; do
  case $word in
    stamps | orders | deliveries) ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done

readonly GRACE_S=10 ATTEMPTS=3 # siege sometimes hangs when its time is over; then it is run again
readonly BASE=${BASE:-http://localhost:8088}

if ! type -P siege >/dev/null; then
  echo "original_loads: needs siege: apt-get install siege" >&2
  exit 2
fi

if [[ ! ${LOAD_TIME:-1S} =~ ^[1-9][0-9]*S$ ]]; then
  echo "original_loads: LOAD_TIME is a number of seconds, such as 3S" >&2
  exit 2
fi

missed=0

# run_siege SECONDS OPTION…: prints siege's report; empty where it never came to its end.
run_siege() {
  local seconds=$1 attempt
  shift
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    if timeout --kill-after=2 $((seconds + GRACE_S)) siege --quiet -t"${seconds}S" "$@"; then
      return
    fi
    printf 'original_loads: siege did not come to its end (%d)\n' "$attempt" >&2
  done
}

# load USERS SECONDS PERCENT URL: notes where fewer than PERCENT of the requests succeed.
load() {
  local users=$1 time=${LOAD_TIME:-$2S} percent=$3 url=$4 report availability
  printf "\n$ siege -c%s -t%s --content-type application/json '%s'\n" "$users" "$time" "$url"
  report=$(run_siege "${time%S}" -c"$users" --content-type application/json "$url")
  printf '%s\n' "$report"
  availability=$(sed -nE 's/.*"availability":[[:space:]]*([0-9.]+).*/\1/p' <<<"$report")
  if awk -v is="${availability:-0}" -v expected="$percent" 'BEGIN { exit !(is >= expected) }'; then
    printf 'as expected: %s %% succeed, at least %s %%\n' "$availability" "$percent"
  else
    printf 'MISSED: %s %% succeed, not %s %%\n' "${availability:-0}" "$percent"
    missed=1
  fi
}

if (($# == 0)); then set -- stamps orders deliveries; fi
for name in "$@"; do
  case $name in
    stamps)
      printf '\nOne hot stamp account, 200 users. Expected: no failure, on one process.\n'
      printf '(The original scales from 1 to 5 replicas.)\n'
      load 200 10 100 "$BASE/stamps POST {\"phoneNumber\": \"01012341234\", \"stampQty\": 2}"
      ;;
    orders)
      printf '\nOrders of 50 users. Expected: at least 99.5 %%, even where payment answers late;\n'
      printf 'what is refused is a 503 and leaves nothing behind. (The original: 97.9 %%.)\n'
      load 50 30 99.5 "$BASE/orders POST {\"productId\": 1, \"qty\": 1, \"paymentType\": \"cash\",\
 \"cost\": 1000, \"productName\": \"Coffee\"}"
      ;;
    deliveries)
      printf '\nOne reader of deliveries. Expected: no failure.\n'
      printf '(The original redeploys the delivery service meanwhile.)\n'
      load 1 60 100 "$BASE/deliveries"
      ;;
    *)
      printf 'original_loads: no load of the name %s\n' "$name" >&2
      exit 2
      ;;
  esac
done
exit "$missed"
