# shellcheck shell=bash
# Shared by up, down, status, kill and start: a cluster on this machine, one node per service.
#
# What is kept in a cluster's folder:
#   settings          the gateway's port, and whether nodes talk TLS
#   secret, certs/    who may join
#   NAME/             each node's data directory: `skanu audit --data DIR` finds all of them
#   log/NAME.log      each node's log
#   run/NAME.pid      its process: id, when it was started, and in which boot of the machine
#   run/NAME.stdout, run/NAME.stderr
set -euo pipefail
export LC_ALL=C
umask 077 # what is kept here is its owner's alone

readonly services=(order payment delivery ordertrace stamp gateway)
readonly ready_seconds=20
readonly stop_seconds=10
command_name=cluster/$(basename "$0")
readonly command_name
cluster_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly cluster_folder
readonly program=${SKANU_BIN:-$cluster_folder/../build/skanu}

dir=./cluster-data
http=    # the gateway's port
tls=     # "tls" or "plain"
service= # of kill and start
extra=() # options for nodes, behind --

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "$command_name" "$*" >&2
  exit 1
}

# Exit status 2, as the program has it for a bad option.
bad_usage() {
  printf '%s: %s\n' "$command_name" "$*" >&2
  exit 2
}

# --- The command line -----------------------------------------------------------------------------

accepted=

only_where_accepted() {
  [[ " $accepted " == *" $1 "* ]] || bad_usage "what is $2? See $command_name --help"
}

# read_arguments "ACCEPTED…" "$@": sets dir, and of http, tls, service and extra what is accepted.
read_arguments() {
  accepted=$1
  shift
  while (($# > 0)); do
    case $1 in
      --dir | --http)
        if [[ -z ${2:-} ]]; then bad_usage "$1 takes a value"; fi
        if [[ $1 == --dir ]]; then
          dir=$2
        else
          only_where_accepted http "$1"
          http=$2
        fi
        shift
        ;;
      --tls)
        only_where_accepted tls "$1"
        tls=tls
        ;;
      --)
        only_where_accepted extra "$1"
        shift
        extra=("$@")
        break
        ;;
      -h | --help)
        usage
        exit
        ;;
      *)
        only_where_accepted service "$1"
        [[ -z $service ]] || bad_usage "one service at a time"
        check_service "$1"
        service=$1
        ;;
    esac
    shift
  done
  if [[ " $accepted " == *" service "* && -z $service ]]; then
    bad_usage "which service? One of ${services[*]}"
  fi
}

check_service() {
  local s
  for s in "${services[@]}"; do
    if [[ $1 == "$s" ]]; then return; fi
  done
  bad_usage "no such service: $1. There are: ${services[*]}"
}

check_program() {
  [[ -x $program ]] || die "no program at $program: ./dev build makes it, or name it in SKANU_BIN"
}

# --- The folder -----------------------------------------------------------------------------------

make_folder() {
  mkdir -p "$dir"/{log,run} || die "cannot make the folder $dir"
  dir=$(cd "$dir" && pwd)
}

# What starts or stops nodes takes turns. The nodes must not inherit this: see start_node.
lock_folder() {
  local lock
  exec {lock}>"$dir/run/lock"
  flock -w 60 "$lock" || die "another command has been at work on $dir for a minute"
}

# Sets http and tls to what the cluster was made with; false where there is none.
read_settings() {
  [[ -r $dir/settings ]] || return 1
  read -r http tls <"$dir/settings"
}

write_settings() { printf '%s %s\n' "$http" "$tls" >"$dir/settings"; }

make_secret() {
  [[ -s $dir/secret ]] && return
  (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$dir/secret.new" &&
    echo >>"$dir/secret.new" && mv "$dir/secret.new" "$dir/secret")
}

# --- Ports: the original's distances from the gateway's, and a thousand more among nodes ----------

http_port() {
  case $1 in
    order) echo $((http - 7)) ;;
    payment) echo $((http - 6)) ;;
    delivery) echo $((http - 5)) ;;
    ordertrace) echo $((http - 4)) ;;
    stamp) echo $((http - 3)) ;;
    gateway) echo "$http" ;;
  esac
}

node_port() { echo $(($(http_port "$1") + 1000)); }

check_http() {
  if [[ ! $http =~ ^[1-9][0-9]{0,4}$ ]] || ((http < 8 || http > 64535)); then
    bad_usage "--http takes a port from 8 to 64535, not $http"
  fi
}

# --- Processes ------------------------------------------------------------------------------------

# What tells a process from a later one of the same id; fails where it is gone. A zombie is gone.
identity_of() {
  local stat fields boot
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The name stands in parentheses and may hold blanks, and parentheses.
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != [ZX] ]] || return 1
  read -r boot </proc/sys/kernel/random/boot_id
  echo "$1 ${fields[19]} $boot"
}

# Prints the process id of a node that runs; false where it does not. A process that took over the
# id of a node is no node.
pid_of() {
  local known pid
  { read -r known <"$dir/run/$1.pid"; } 2>/dev/null || return 1
  pid=${known%% *}
  [[ $pid =~ ^[0-9]+$ && $(identity_of "$pid") == "$known" ]] || return 1
  echo "$pid"
}

is_running() { pid_of "$1" >/dev/null; }

any_is_running() {
  local s
  for s in "${services[@]}"; do
    if is_running "$s"; then return; fi
  done
  return 1
}

# Does not wait until it is ready.
start_node() {
  local name=$1 options=() s
  for s in "${services[@]}"; do options+=(--peer "$s=127.0.0.1:$(node_port "$s")"); done
  if [[ $tls == tls ]]; then
    options+=(--tls-cert "$dir/certs/$name.pem" --tls-key "$dir/certs/$name-key.pem"
      --tls-ca "$dir/certs/ca.pem")
  fi
  rm -f "$dir/run/$name.pid"
  (
    # Detached from the caller: nobody waits for the end of a pipe that a node holds.
    for descriptor in "/proc/$BASHPID/fd/"*; do
      descriptor=${descriptor##*/}
      if ((descriptor > 2 && descriptor < 255)); then exec {descriptor}>&-; fi
    done
    exec setsid "$program" serve --services "$name" --name "$name" \
      --http "127.0.0.1:$(http_port "$name")" --node "127.0.0.1:$(node_port "$name")" \
      --data "$dir/$name" --secret-file "$dir/secret" --log-file "$dir/log/$name.log" \
      "${options[@]}" "${extra[@]}"
  ) </dev/null >"$dir/run/$name.stdout" 2>"$dir/run/$name.stderr" &
  # Nothing where it ended at once: await_ready says so.
  identity_of $! >"$dir/run/$name.pid" || true
}

deadline_in() { echo $((SECONDS + $1)); }

interrupted=

pause() {
  if [[ $interrupted ]]; then die "interrupted"; fi
  sleep 0.05
}

# await_ready SERVICE DEADLINE: until it has said that it can serve.
await_ready() {
  until grep -q '^skanu ready ' "$dir/run/$1.stdout"; do
    if ! is_running "$1"; then
      cat "$dir/run/$1.stderr" >&2
      die "$1 did not start; its log is $dir/log/$1.log"
    fi
    ((SECONDS < $2)) || die "$1 is not ready within $ready_seconds s; its log is $dir/log/$1.log"
    pause
  done
}

health_of() {
  curl -s --noproxy '*' --max-time 2 "http://127.0.0.1:$(http_port "$1")/actuator/health"
}

# await_seen DEADLINE NODE SERVICE…: until the node sees each of them; false where it does not.
await_seen() {
  local deadline=$1 node=$2 health s
  shift 2
  for s; do
    until health=$(health_of "$node") && [[ $health == *"\"$s\":{\"status\":\"UP\""* ]]; do
      if ((SECONDS >= deadline)); then
        printf '%s: %s does not see %s\n' "$command_name" "$node" "$s" >&2
        return 1
      fi
      pause
    done
  done
}

# await_gone SERVICE SECONDS: false where it still runs then.
await_gone() {
  local deadline
  deadline=$(deadline_in "$2")
  while is_running "$1"; do
    ((SECONDS <= deadline)) || return 1
    pause
  done
}

# signal_node SERVICE SIGNAL…: nothing where it does not run.
signal_node() {
  local pid signal
  pid=$(pid_of "$1") || return 0
  shift
  for signal; do kill -s "$signal" "$pid" 2>/dev/null || true; done
}

# stop_nodes SERVICE…: asks all of them to end, and ends those that do not. The second SIGTERM ends
# a node's --drain.
stop_nodes() {
  local s
  # A frozen node hears SIGTERM only when it goes on.
  for s; do signal_node "$s" TERM CONT; done
  for s; do
    if ! await_gone "$s" "$stop_seconds"; then signal_node "$s" TERM; fi
  done
  for s; do
    if ! await_gone "$s" "$stop_seconds"; then
      printf '%s: %s does not end within %s s and is killed\n' "$command_name" "$s" \
        "$((2 * stop_seconds))" >&2
      signal_node "$s" KILL
      await_gone "$s" "$stop_seconds" || die "$s cannot be killed"
    fi
    rm -f "$dir/run/$s.pid"
  done
}

started=()

# From here on, what an attempt has started does not stay when it fails. A signal ends it at the
# next pause, and not between a node's start and the note of its process id.
begin_attempt() {
  trap 'interrupted=yes' HUP INT TERM
  trap give_up EXIT
}

end_attempt() {
  if [[ $interrupted ]]; then die "interrupted"; fi
  trap - EXIT
}

give_up() {
  local status=$?
  trap - EXIT
  trap '' HUP INT TERM
  interrupted=
  if ((${#started[@]} > 0)); then stop_nodes "${started[@]}"; fi
  exit "$status"
}
