#!/usr/bin/env bash
# The whole saga with curl.
set -euo pipefail

case ${1:-} in
  '') ;;
  -h | --help)
    cat <<'TEXT'
usage: [BASE=http://127.0.0.1:8088] [PHONE=010-1234-1234] examples/walkthrough.sh

Orders, pays, earns stamps, and moves the delivery along to its end; then an order is paid and
cancelled, so that everything goes back. Needs curl and a running server (./dev run). Ends with
status 1 when an answer is not as expected.
TEXT
    exit 0
    ;;
  *)
    echo "walkthrough: takes no arguments; --help explains" >&2
    exit 2
    ;;
esac

readonly BASE=${BASE:-http://127.0.0.1:8088}
readonly PHONE=${PHONE:-010-1234-1234}
readonly DEADLINE_S=${DEADLINE_S:-10} # for what happens behind an answer

status=0 # of the last answer
body=""

die() {
  printf 'walkthrough: %s\n' "$*" >&2
  exit 1
}

say() { printf '\n%s\n' "$*"; }

# send METHOD PATH [JSON]: sets status and body.
send() {
  local answer data=()
  if (($# > 2)); then data=(-H 'Content-Type: application/json' --data "$3"); fi
  answer=$(curl -sS --max-time 5 -X "$1" -w '\n%{http_code}' "${data[@]}" "$BASE$2") ||
    die "no answer from $BASE (is the server running? ./dev run)"
  status=${answer##*$'\n'}
  body=${answer%$'\n'*}
}

# request STATUS METHOD PATH [JSON]: sends, shows, and ends the script on another status.
request() {
  local expected=$1
  shift
  printf '  %s\n' "$*"
  send "$@"
  printf '    %s %s\n' "$status" "$body"
  [[ $status == "$expected" ]] || die "expected $expected for $1 $2, not $status"
}

# field NAME: the value of a plain member of the body.
field() { sed -nE "s/.*\"$1\":\"?([^\",}]*).*/\1/p" <<<"$body"; }

# shows PATH FIELD VALUE: waits until the resource says so.
shows() {
  local end=$((SECONDS + DEADLINE_S))
  until
    send GET "$1"
    [[ $status == 200 && $(field "$2") == "$3" ]]
  do
    ((SECONDS < end)) || die "$1: $2 is not \"$3\" within $DEADLINE_S s: $status $body"
    sleep 0.02
  done
  printf '    %-24s %s: %s\n' "$1" "$2" "$3"
}

# moves STATUS: one step of the delivery.
moves() {
  request 200 PATCH "/deliveries/$order" "{\"deliveryStatus\":\"$1\"}"
  shows "/orderTraces/$order" status "DELIVERY $1"
}

# A phone without stamps has no account yet.
send GET "/stamps/$PHONE"
[[ $status == 200 || $status == 404 ]] || die "GET /stamps/$PHONE: $status $body"
stamps=$(field stampQty)
stamps=${stamps:-0}

say "1. Two coffees, please. The order and its payment are registered together, or not at all."
request 201 POST /orders \
  '{"productId":1,"productName":"Coffee","qty":2,"cost":8000,"paymentType":"card"}'
order=$(field id)
shows "/payments/$order" paymentStatus "Not Pay"
shows "/orderTraces/$order" status "Order END"

say "2. Pay, with a phone number: the kitchen starts, and two stamps are earned."
request 200 PATCH "/payments/$order" "{\"paymentStatus\":\"END\",\"phoneNumber\":\"$PHONE\"}"
shows "/orderTraces/$order" status "PAY END"
shows "/deliveries/$order" deliveryStatus "Prepare Delivery..."
shows "/stamps/$PHONE" stampQty $((stamps + 2))

say "3. The barista moves it along."
moves READY
moves START
moves END
shows "/orders/$order" delivered true

say "4. What was delivered cannot be cancelled."
request 409 DELETE "/orders/$order"

say "5. Another one, paid with the same phone."
request 201 POST /orders "{\"productId\":7,\"productName\":\"Latte\",\"qty\":1,\"cost\":3000,\
\"paymentType\":\"card\",\"phoneNumber\":\"$PHONE\"}"
order=$(field id)
request 200 PATCH "/payments/$order" '{"paymentStatus":"END"}'
shows "/stamps/$PHONE" stampQty $((stamps + 3))
shows "/deliveries/$order" deliveryStatus "Prepare Delivery..."

say "6. Cancel it: payment, kitchen and stamps go back."
request 204 DELETE "/orders/$order"
shows "/payments/$order" paymentStatus CANCEL
shows "/deliveries/$order" deliveryStatus CANCEL
shows "/stamps/$PHONE" stampQty $((stamps + 2))
shows "/orderTraces/$order" status "ORDER CANCEL"

say "7. Its history, as the trace saw it:"
send GET "/orderTraces/$order/events"
[[ $status == 200 ]] || die "no history: $status $body"
grep -oE '"eventType":"[A-Za-z]+"' <<<"$body" | sed -E 's/.*:"(.*)"/    \1/'

say "All as expected."
