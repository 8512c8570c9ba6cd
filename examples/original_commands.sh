#!/usr/bin/env bash
# The commands of the original system's users, word for word but for one (see --help).
set -euo pipefail

case ${1:-} in
  '') ;;
  -h | --help)
    cat <<'TEXT'
usage: [HOST=localhost:8088] examples/original_commands.sh

Runs the commands of the original system's users, word for word. Needs HTTPie (Debian: httpie) and a
server on an empty data directory, since the commands speak of orders 1 and 2. Ends with another
status than 0 when one of them is refused.

One command of the original's list is left out, since it is refused (422) on purpose: it pays
payment 1 with the fields of another order (orderId=2, another product). The original overwrote the
payment; here a payment's order, goods and cost cannot change.
TEXT
    exit 0
    ;;
  *)
    echo "original_commands: takes no arguments; --help explains" >&2
    exit 2
    ;;
esac

readonly HOST=${HOST:-localhost:8088}

if ! type -P http >/dev/null; then
  echo "original_commands: needs HTTPie: apt-get install httpie" >&2
  exit 2
fi

# Shows the command and runs HTTPie, with HOST for the original's address.
http() {
  printf '\n$ http'
  printf ' %q' "$@"
  printf '\n'
  command http --ignore-stdin --check-status --timeout=5 "${@/localhost:8088/"$HOST"}"
}

http post localhost:8088/orders productId=1 qty=1 paymentType="cash" cost=1000 \
  productName="Coffee"
http post localhost:8088/orders productId=2 qty=2 paymentType="card" cost=2000 \
  productName="RedTea"
http post localhost:8088/orders productId=3 qty=1 paymentType="card" cost=2500 \
  productName="Coffee"
http post localhost:8088/orders productId=4 qty=2 paymentType="card" cost=4500 \
  productName="IceTea"
http post localhost:8088/orders productId=5 qty=3 paymentType="card" cost=6000 \
  productName="LemonAde"
http post localhost:8088/orders productId=6 qty=4 paymentType="card" cost=10000 \
  productName="OrangeAde"
http post localhost:8088/orders productId=7 qty=1 paymentType="card" cost=3000 \
  productName="Latte"
http post localhost:8088/orders productId=8 qty=3 paymentType="card" cost=9000 \
  productName="WhiteChoco"
http post localhost:8088/orders productId=9 qty=2 paymentType="card" cost=5500 \
  productName="EarlGrey"
http post localhost:8088/orders productId=10 qty=2 paymentType="card" cost=7000 \
  productName="RedTea"

http get localhost:8088/orderTraces
http get localhost:8088/payments

http delete localhost:8088/orders/1
http put localhost:8088/payments/2 cost=2000 orderId=2 paymentStatus="END" \
  paymentType="cash" productId=2 productName="RedTea" qty=2

http get localhost:8088/deliveries
