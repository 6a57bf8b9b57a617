#!/bin/sh
# Runs the one command that needs a signing key where that key cannot leave: no network, no other process, no program but Node.js,
# one folder to write to, of which one file is taken out. What that file may say is checked afterwards, by `timestamp --signed`.
#
# sealed.sh --role application|installer --parts FOLDER --record FILE --out FILE
#
# Linux, as root or with sudo that asks nothing, as GitHub's runners have it; unshare, setpriv, prlimit, mount of util-linux, and
# chroot of coreutils. The secrets come in the environment: APPLICATION_P12_BASE64 and APPLICATION_P12_PASSWORD, or INSTALLER_...
set -eu

# Nobody's account: it owns nothing.
readonly ACCOUNT=65534
readonly LARGEST=32768

fail() {
  printf 'sealed: %s\n' "$1" >&2
  exit "${2:-2}"
}

role='' parts='' record='' out='' node='' inside=''
while [ $# -gt 0 ]; do
  case $1 in
    --inside) inside=1 && shift && continue ;;
    --role | --parts | --record | --out | --node) [ $# -ge 2 ] || fail "$1 needs a value" ;;
    *) fail "unknown option $1" ;;
  esac
  case $1 in
    --role) role=$2 ;;
    --parts) parts=$2 ;;
    --record) record=$2 ;;
    --out) out=$2 ;;
    --node) node=$2 ;;
  esac
  shift 2
done
case $role in
  application) keep='APPLICATION_P12_BASE64 APPLICATION_P12_PASSWORD' ;;
  installer) keep='INSTALLER_P12_BASE64 INSTALLER_P12_PASSWORD' ;;
  *) fail 'use: sealed.sh --role application|installer --parts FOLDER --record FILE --out FILE' ;;
esac
[ -f "$parts/cli.mjs" ] || fail "$parts holds no cli.mjs: name the folder that \`parts\` made"
[ -f "$record" ] || fail "there is no record $record: begin it with \`node cli.mjs timestamp\`"
[ -n "$out" ] || fail '--out is missing'

# What runs beside the key cannot say why it failed; that a secret is not there can be said before.
if grep -q '"mode": "release"' "$record"; then
  for name in $keep; do
    eval "[ -n \"\${$name:-}\" ]" || fail "$name is not set: look at its name in the environment \`signing\`"
  done
fi

# Becomes root, then the only process of namespaces of its own. Nothing of this is seen by the code beside the key.
enter() {
  [ "$(uname -s)" = Linux ] || fail 'needs Linux; what a Mac does instead is in docs/signing-keys.md'
  node=$(command -v node) || fail 'node is not on PATH'
  node=$(readlink -f -- "$node")
  set -- "$0" --role "$role" --parts "$parts" --record "$record" --out "$out" --node "$node"
  if [ "$(id -u)" -ne 0 ]; then
    names=$(printf '%s' "$keep" | tr ' ' ',')
    exec sudo -n --preserve-env="$names" -- /bin/sh "$@"
  fi
}

# The whole world of the code beside the key: Node.js and its libraries, the parts, the record, /dev/null; /out to write to.
build_root() {
  mount -t tmpfs -o size=256m,mode=755,nosuid,nodev sealed "$root"
  mkdir -p "$root/bin" "$root/dev" "$root/out" "$root/in"
  : >"$root/bin/node" && : >"$root/dev/null"
  mount --bind "$node" "$root/bin/node"
  mount -o remount,bind,ro,nosuid,nodev "$root/bin/node"
  mount --bind /dev/null "$root/dev/null"
  # Lines of ldd: "name => /path (address)", and the loader as "/path (address)".
  ldd "$node" | sed -n 's/.*=> *\(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | while IFS= read -r library; do
    mkdir -p "$root${library%/*}"
    cp -L -- "$library" "$root$library"
  done
  # Copied, links followed: the files may belong to somebody who may read what this account may not.
  cp -RL -- "$parts/." "$root/in/"
  cp -L -- "$record" "$root/record.json"
  chmod -R a+rX "$root/in" "$root/record.json"
  mount -t tmpfs -o "size=64m,mode=700,uid=$ACCOUNT,gid=$ACCOUNT,noexec,nosuid,nodev" out "$root/out"
  mount -o remount,ro,nosuid,nodev "$root"
}

# Runs the command with the secrets and nothing else in its environment, and nothing of what it prints: a key could be in it.
run_beside_key() {
  set -- /bin/node /in/cli.mjs sign --role "$role" --compiled /in --record /record.json --out /out/signed.json
  # With absolute paths, as PATH goes away with the rest of the environment.
  set -- "$(command -v chroot)" --userspec="$ACCOUNT:$ACCOUNT" --groups= "$root" "$@"
  # What chroot needs until it gives up root; of what comes after, no_new_privs and the account take all.
  caps='-all,+sys_chroot,+setuid,+setgid'
  set -- "$(command -v setpriv)" --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set="$caps" "$@"
  # One byte of core is none, and tells the kernel not to start a handler either: it would get the memory with the key.
  set -- "$(command -v prlimit)" --core=1:1 --nproc=512:512 "$@"
  # shellcheck disable=SC2013 # names have no spaces
  for name in $(awk 'BEGIN { for (name in ENVIRON) print name }'); do
    case " $keep " in *" $name "*) ;; *) set -- -u "$name" "$@" ;; esac
  done
  env "$@" </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

# Takes the one file out: its bytes alone, as a new file, never more than a release can need.
take_out() {
  made="$root/out/signed.json"
  if [ ! -f "$made" ] || [ -L "$made" ]; then fail 'the command made no file' 6; fi
  [ "$(head -c "$((LARGEST + 1))" <"$made" | wc -c)" -le "$LARGEST" ] || fail 'what the command made is too large' 6
  rm -f -- "$out"
  (set -C && cat <"$made" >"$out")
  [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$out"
}

if [ -z "$inside" ]; then
  enter
  exec unshare --mount --net --pid --ipc --uts --fork --kill-child -- \
    /bin/sh "$0" --inside --role "$role" --parts "$parts" --record "$record" --out "$out" --node "$node"
fi
root=$(mktemp -d)
trap 'umount -R -l "$root" 2>/dev/null || :; rmdir -- "$root"' EXIT
build_root
status=0
run_beside_key || status=$?
# Whatever it started ends here. The first process of a process namespace sees and reaches no other ones.
[ $$ -ne 1 ] || kill -KILL -1 2>/dev/null || :
case $status in
  0) take_out ;;
  2) fail 'the key, its password or the record is not usable; doctor says more where the same identity is set' 2 ;;
  5 | 6) fail 'the signatures could not be made' "$status" ;;
  *) fail 'the command failed; nothing of what it said can be shown, as the key was beside it' 1 ;;
esac
