#!/bin/sh
# Signs digests with the key of a .p12 where that key cannot leave: no network, no other process, no program but a shell and openssl,
# one folder to write to, of which one file is taken out: a signature a line. What it may say is checked afterwards, by check-signatures.sh.
#
# sealed.sh --role application|installer --digests 'DIGEST...' --out FILE
#
# Linux, as root or with sudo that asks nothing, as GitHub's runners have it; unshare, setpriv, prlimit, mount of util-linux, chroot of
# coreutils, openssl 3. The secrets come in the environment: APPLICATION_P12_BASE64 and APPLICATION_P12_PASSWORD, or INSTALLER_...
# Whoever traces this script would read the secrets.
set +x
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=build/signers/digests.sh
. "$scripts/digests.sh"
readonly SHELL_THERE=/bin/sh
readonly OPENSSL=/usr/bin/openssl
# Nobody's account: it owns nothing.
readonly ACCOUNT=65534
readonly LARGEST=32768
# Letters that a line of a secret has at least: any two stand by chance in about every second release, any eight in none.
readonly SHORTEST=8

fail() {
  printf 'sealed: %s\n' "$1" >&2
  exit "${2:-2}"
}

role='' digests='' out='' inside='' piped=''
while [ $# -gt 0 ]; do
  case $1 in
    --inside) inside=1 && shift && continue ;;
    --piped) piped=1 && shift && continue ;;
    --role | --digests | --out) [ $# -ge 2 ] || fail "$1 needs a value" ;;
    *) fail "unknown option $1" ;;
  esac
  case $1 in
    --role) role=$2 ;;
    --digests) digests=$2 ;;
    --out) out=$2 ;;
  esac
  shift 2
done
case $role in
  application) prefix=APPLICATION ;;
  installer) prefix=INSTALLER ;;
  *) fail "use: sealed.sh --role application|installer --digests 'DIGEST...' --out FILE" ;;
esac
keep="${prefix}_P12_BASE64 ${prefix}_P12_PASSWORD"
take_digests "$role" "$digests" || fail "--digests is not from 1 to $MOST_DIGESTS digests of SHA-1 or SHA-256"
[ -n "$out" ] || fail '--out is missing'
[ ! -e "$out" ] || fail "$out is there already and was left unchanged: move it away, or name another file"
# From the same script, before sudo.
if [ -n "$piped" ]; then
  IFS= read -r p12 || fail 'nothing came through the pipe'
  password=$(cat)
  export "${prefix}_P12_BASE64=$p12" "${prefix}_P12_PASSWORD=$password"
fi

# is_long TEXT: whether no line of it is so short that it may stand in a signature by chance.
is_long() {
  printf '%s\n' "$1" | tr -d ' \t\r' | awk -v least="$SHORTEST" 'length($0) > 0 && length($0) < least { exit 1 }'
}

# What runs beside the key cannot say why it failed; what is wrong with a secret's form can be said before.
for name in $keep; do
  eval "value=\${$name:-}"
  [ -n "$value" ] || fail "$name is not set: look at its name in the environment \`signing\`"
  is_long "$value" || fail "$name has a line of fewer than $SHORTEST letters, and GitHub holds back every output in which a line of a secret \
stands: store a .p12 on one line (base64 < FILE | tr -d '\\n'), and give it a password of 16 letters or more"
done

# Becomes root, then the only process of namespaces of its own. Nothing of this is seen by the code beside the key.
enter() {
  [ "$(uname -s)" = Linux ] || fail 'needs Linux; what a Mac does instead is in docs/signing-keys.md'
  set -- "$scripts/sealed.sh" --role "$role" --digests "$digests" --out "$out"
  if [ "$(id -u)" -ne 0 ]; then
    # Through a pipe: sudo writes the values of variables that it is told to keep into the log of the machine.
    eval "p12=\$${prefix}_P12_BASE64 password=\$${prefix}_P12_PASSWORD"
    status=0
    { printf %s "$p12" | tr -d ' \t\r\n' && printf '\n%s' "$password"; } | sudo -n -- /bin/sh "$@" --piped || status=$?
    exit "$status"
  fi
  exec unshare --mount --net --pid --ipc --uts --fork --kill-child -- /bin/sh "$@" --inside
}

# bring PROGRAM NAME: puts a program at /bin/NAME of the new world, and its libraries where it looks for them.
bring() {
  program=$(readlink -f -- "$1")
  cp -- "$program" "$root/bin/$2"
  # Lines of ldd: "name => /path (address)", and the loader as "/path (address)".
  ldd "$program" | sed -n 's/.*=> *\(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | while IFS= read -r library; do
    mkdir -p "$root${library%/*}"
    cp -L -- "$library" "$root$library"
  done
}

# The whole world of the code beside the key: a shell, openssl, their libraries, two scripts, /dev/null; /out to write to.
build_root() {
  mount -t tmpfs -o size=256m,mode=755,nosuid,nodev sealed "$root"
  mkdir -p "$root/bin" "$root/dev" "$root/out"
  bring "$SHELL_THERE" sh
  bring "$OPENSSL" openssl
  # The ciphers of a .p12 that Keychain Access made are in a module of openssl's, where it has one.
  legacy=$("$OPENSSL" version -m | sed -n 's/^MODULESDIR: "\(\/.*\)"$/\1/p')/legacy.so
  if [ -f "$legacy" ]; then
    mkdir -p "$root${legacy%/*}"
    cp -L -- "$legacy" "$root$legacy"
  fi
  cp -- "$scripts/inside.sh" "$scripts/digests.sh" "$root/"
  : >"$root/dev/null"
  mount --bind /dev/null "$root/dev/null"
  chmod -R a+rX "$root"
  mount -t tmpfs -o "size=64m,mode=700,uid=$ACCOUNT,gid=$ACCOUNT,noexec,nosuid,nodev" out "$root/out"
  mount -o remount,ro,nosuid,nodev "$root"
}

# One byte of core is none, and tells the kernel not to start a handler either: it would get the memory with the key. sudo has set
# none, which root of a container may not raise, and where a handler is started all the same.
core_limit() {
  if prlimit --core=1:1 -- /bin/sh -c : 2>/dev/null; then
    printf 1:1
  else
    printf 0:0
  fi
}

# Signs with the secrets and nothing else in the environment, and shows nothing of what is printed: a key could be in it.
run_beside_key() {
  # shellcheck disable=SC2086 # one word a digest
  set -- /bin/sh /inside.sh "$prefix" $DIGESTS
  # With absolute paths, as PATH goes away with the rest of the environment.
  set -- "$(command -v chroot)" --userspec="$ACCOUNT:$ACCOUNT" --groups= "$root" "$@"
  # What chroot needs until it gives up root; of what comes after, no_new_privs and the account take all.
  caps='-all,+sys_chroot,+setuid,+setgid'
  set -- "$(command -v setpriv)" --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set="$caps" "$@"
  set -- "$(command -v prlimit)" --core="$(core_limit)" --nproc=512:512 "$@"
  # shellcheck disable=SC2013 # names have no spaces
  for name in $(awk 'BEGIN { for (name in ENVIRON) print name }'); do
    case " $keep " in *" $name "*) ;; *) set -- -u "$name" "$@" ;; esac
  done
  env "$@" </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

# Takes the one file out: its bytes alone, as a new file, never more than a release can need.
take_out() {
  made="$root/out/signatures"
  if [ ! -f "$made" ] || [ -L "$made" ]; then fail 'the command made no file' 6; fi
  [ "$(head -c "$((LARGEST + 1))" <"$made" | wc -c)" -le "$LARGEST" ] || fail 'what the command made is too large' 6
  (set -C && cat <"$made" >"$out")
  [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$out"
}

[ -n "$inside" ] || enter
case "$(core_limit) $(cat /proc/sys/kernel/core_pattern)" in
  '0:0 |'*) fail 'this machine gives the memory of a program that dies to a handler, and does not let that be switched off' ;;
esac
root=$(mktemp -d)
trap 'umount -R -l "$root" 2>/dev/null || :; rmdir -- "$root"' EXIT
build_root
status=0
run_beside_key || status=$?
# Whatever it started ends here. The first process of a process namespace sees and reaches no other ones.
[ $$ -ne 1 ] || kill -KILL -1 2>/dev/null || :
case $status in
  0) take_out ;;
  3) fail "the .p12 does not open: look at ${prefix}_P12_PASSWORD, and that ${prefix}_P12_BASE64 is all of the file in base64" ;;
  4) fail "${prefix}_P12_BASE64 must hold one key: export that identity alone" ;;
  5) fail "the key in ${prefix}_P12_BASE64 does not sign: it must be an RSA key" ;;
  *) fail 'the command failed; nothing of what it said can be shown, as the key was beside it' 1 ;;
esac
