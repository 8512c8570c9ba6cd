#!/usr/bin/env bash
# The circuit breaker at work, on a server of its own.
set -euo pipefail
export LC_ALL=C

case ${1:-} in
  '') ;;
  -h | --help)
    cat <<'TEXT'
usage: [FAIL_SECONDS=10] examples/breaker.sh

Starts a server of its own whose payment refuses everything for a while, lets customers order, and
prints a line a second: the breaker's states, the answers and how long they took, and that reads and
cancels go on. Ends with status 1 when something is not so.

SKANU_BIN names the program (default build/skanu).
TEXT
    exit 0
    ;;
  *)
    echo "breaker: takes no arguments; --help explains" >&2
    exit 2
    ;;
esac

readonly FAIL_SECONDS=${FAIL_SECONDS:-10}
readonly SKANU_BIN=${SKANU_BIN:-$(dirname "${BASH_SOURCE[0]}")/../build/skanu}
readonly HEALTHY_SECONDS=2                                 # before payment fails
readonly BACK_MS=$(((HEALTHY_SECONDS + FAIL_SECONDS) * 1000)) # when payment is well again
readonly RECOVERY_SECONDS=8                                # the breaker's five, and some
readonly CUSTOMERS=4
readonly COFFEE='{"productId":1,"productName":"Coffee","qty":1,"cost":1000,"paymentType":"cash"}'

scratch=$(mktemp -d)
server=""
loads=()

# Ends what this script started, and nothing else.
clean_up() {
  touch "$scratch/stop"
  if ((${#loads[@]} > 0)); then wait "${loads[@]}" || true; fi
  if [[ $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" || true
  fi
  rm -rf "$scratch"
}
trap clean_up EXIT

die() {
  printf 'breaker: %s\n' "$*" >&2
  exit 1
}

start_server() {
  local line
  exec 3< <(exec "$SKANU_BIN" serve --http 127.0.0.1:0 --data "$scratch/data" \
    --log-file "$scratch/log" \
    --fault "payment-fail=1@${HEALTHY_SECONDS}s..$((HEALTHY_SECONDS + FAIL_SECONDS))s")
  server=$!
  read -rt 20 line <&3 || die "the server is not ready within 20 s"
  base=${line#skanu ready }
  started=${EPOCHREALTIME/./}
}

# Since the server was ready.
milliseconds() { echo $(((${EPOCHREALTIME/./} - started) / 1000)); }

# timed METHOD PATH [OPTION…]: "STATUS SECONDS", 000 where no answer came.
timed() {
  local method=$1 path=$2
  shift 2
  curl -s --max-time 5 -o /dev/null -w '%{http_code} %{time_total}' -X "$method" "$@" \
    "$base$path" || true
}

breaker_state() {
  curl -s --max-time 5 "$base/actuator/circuitbreakers" | sed -nE 's/.*"state":"([A-Z_]+)".*/\1/p'
}

# Orders again and again, and looks at the breaker after each order: lines of
# "MILLISECONDS STATUS SECONDS STATE". With one call at a time from each of fewer customers than the
# five calls that a half-open breaker permits, none of its states goes by unseen.
customer() {
  local answer
  while [[ ! -e $scratch/stop ]]; do
    answer=$(timed POST /orders -H 'Content-Type: application/json' --data "$COFFEE")
    printf '%s %s %s\n' "$(milliseconds)" "$answer" "$(breaker_state)" >>"$scratch/orders"
    sleep 0.05
  done
}

# row SECOND READ CANCEL: a line of the timeline.
row() {
  sort -n "$scratch/orders" | awk -v second="$1" -v read="$2" -v cancel="$3" '
    int($1 / 1000) != second { next }
    $4 != state { states = states (states ? " > " : "") $4; state = $4 }
    $2 == 201 { placed++ }
    $2 == 503 { refused++ }
    $2 != 201 && $2 != 503 { other++ }
    $3 > slowest { slowest = $3 }
    END {
      split(read, r); split(cancel, c)
      printf "%3d s  %-28s %5d %5d %5d %7.0f ms   %s %4.0f ms   %s %4.0f ms\n", second,
        states, placed, refused, other, slowest * 1000, r[1], r[2] * 1000, c[1], c[2] * 1000
    }'
}

# The breaker has been open, is closed again, and orders go through.
recovered() {
  sort -n "$scratch/orders" | awk -v back="$BACK_MS" '
    $4 == "OPEN" { opened = 1 }
    { state = $4 }
    opened && $1 > back && $2 == 201 { through = 1 }
    END { exit !(through && state == "CLOSED") }'
}

# Says what all of it shows; fails where that is not what it should be.
summary() {
  sort -n "$scratch/orders" | awk -v back="$BACK_MS" '
    $4 != state { states = states (states ? " > " : "") $4; state = $4 }
    $2 != 201 && $2 != 503 { other++ }
    $2 == 503 && $4 == "OPEN" && $1 < back { took[++refused] = $3 }
    $2 == 201 && $1 > back && !through { through = $1 }
    END {
      # Sorted by insertion: there are some hundreds.
      for (i = 2; i <= refused; i++)
        for (j = i; j > 1 && took[j] < took[j - 1]; j--) {
          t = took[j]; took[j] = took[j - 1]; took[j - 1] = t
        }
      printf "\nThe breaker: %s\n", states
      printf "Refusals while it was open: %d, the median in %.1f ms\n", refused,
        took[int((refused + 1) / 2)] * 1000
      printf "First order through: %.1f s after payment was well again\n", (through - back) / 1000
      exit !(states ~ /^CLOSED > OPEN > .*HALF_OPEN > CLOSED$/ && !other)
    }' || die "it should go CLOSED > OPEN > HALF_OPEN > CLOSED, with no answer but 201 and 503"
}

start_server
printf 'Payment refuses everything from %d s to %d s.\n\n' "$HEALTHY_SECONDS" \
  $((HEALTHY_SECONDS + FAIL_SECONDS))
printf '%5s  %-28s %5s %5s %5s %10s   %-11s   %s\n' time "breaker" 201 503 other slowest "a read" \
  "a cancel"
: >"$scratch/orders"
for ((i = 0; i < CUSTOMERS; i++)); do
  customer &
  loads+=($!)
done

second=0
until recovered; do
  ((second < HEALTHY_SECONDS + FAIL_SECONDS + RECOVERY_SECONDS)) ||
    die "the breaker does not close within $RECOVERY_SECONDS s"
  until (($(milliseconds) >= (second + 1) * 1000)); do sleep 0.05; done
  # Orders are cancelled in the order in which they were placed, one a second.
  read_answer=$(timed GET "/orders/$((second + 1))")
  cancel_answer=$(timed DELETE "/orders/$((second + 1))")
  row "$second" "$read_answer" "$cancel_answer"
  [[ $read_answer == "200 "* ]] || die "a read was answered $read_answer"
  [[ $cancel_answer == "204 "* ]] || die "a cancel was answered $cancel_answer"
  second=$((second + 1))
done
summary
