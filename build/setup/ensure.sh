# shellcheck shell=sh
# Shell functions that make sure of what a command needs. Sourced by the scripts beside it; POSIX sh.
#
# Each function is silent and quick when nothing is missing. What is missing is installed through apt when that needs no
# question (root, or sudo without password); otherwise the function stops before any work and prints the one command to run.

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
# The oldest LLVM that links both slices; up to the newest that may carry a versioned name.
LLVM_VERSIONS='14 15 16 17 18 19 20 21 22 23 24 25'

say() {
  printf '%s\n' "$*" >&2
}

stop() {
  say "setup: $1"
  shift
  for line in "$@"; do say "  $line"; done
  [ -z "${AGAIN:-}" ] || say "Then: $AGAIN"
  exit 2
}

# A command of hours that was asked for its help must not begin: takes_nothing COMMAND "$@"
takes_nothing() {
  command=$1
  shift
  [ $# -eq 0 ] || stop "$command takes no arguments; it was given: $*"
}

interrupted() {
  say 'error: interrupted'
  say "To go on: ${AGAIN:-}"
  exit 130
}

# Prints what was typed, as a shell takes it: npm start -- ..., or npm run -s cli -- ...
typed_again() {
  case ${1:-} in
    release)
      again='npm start'
      shift
      [ $# -eq 0 ] || again='npm start --'
      ;;
    *) again='npm run -s cli --' ;;
  esac
  for word in "$@"; do
    case $word in
      '' | *[!A-Za-z0-9_./+=-]*) again="$again '$(printf '%s' "$word" | sed "s/'/'\\\\''/g")'" ;;
      *) again="$again $word" ;;
    esac
  done
  printf '%s\n' "$again"
}

# Node 20.19 is the oldest that our dependencies support.
ensure_node() {
  command -v node >/dev/null 2>&1 || stop 'Node.js is missing.' \
    'Debian, Ubuntu: install Node.js 20.19 or later (distribution packages may be older), for example through nvm' \
    'macOS:          brew install node'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    stop "Node.js $(node --version) is too old: 20.19 or later is needed." \
      'Debian, Ubuntu: install Node.js 20.19 or later (distribution packages may be older), for example through nvm' \
      'macOS:          brew upgrade node'
  command -v npm >/dev/null 2>&1 || stop 'npm is missing; it comes with Node.js, but for Debian and Ubuntu.' \
    'Debian, Ubuntu: sudo apt-get install -y npm' \
    'macOS:          brew install node'
}

# Installs what the lock file names, unless node_modules already holds exactly that.
ensure_modules() {
  node "$ROOT/build/setup/modules-match.mjs" "$ROOT" && return
  say 'setup: installing the packages of package-lock.json (npm ci); about half a minute'
  (cd "$ROOT" && npm ci --ignore-scripts --no-audit --no-fund >&2) || stop 'npm ci failed; its messages are above.'
}

# Prints the first of the given program names that exists, plain or with an LLVM version behind it.
llvm_program() {
  command -v "$1" >/dev/null 2>&1 && printf '%s\n' "$1" && return
  for version in $LLVM_VERSIONS; do
    command -v "$1-$version" >/dev/null 2>&1 && printf '%s\n' "$1-$version" && return
  done
  return 1
}

# Prints the first of the given LLVM program's names that links our bundle: a plain name may be that of a version too old.
# A program that tells no version is believed.
compiler_program() {
  if command -v "$1" >/dev/null 2>&1; then
    version=$("$1" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9]*\)\.[0-9].*/\1/p' | head -n 1)
    [ "${version:-14}" -ge 14 ] && printf '%s\n' "$1" && return
  fi
  for version in $LLVM_VERSIONS; do
    command -v "$1-$version" >/dev/null 2>&1 && printf '%s\n' "$1-$version" && return
  done
  return 1
}

# Whether packages can be installed without a person: as root, or with sudo where that asks nothing.
may_install() {
  command -v apt-get >/dev/null 2>&1 || return 1
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null
}

apt() {
  if [ "$(id -u)" -eq 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
  fi
}

# Installs Debian packages; package lists on a fresh machine are empty or old, so they are fetched first.
apt_install() {
  say "setup: installing through apt, about a minute: $*"
  apt update -qq && apt install -y -qq --no-install-recommends "$@"
}

# The compiler and the Mach-O linker.
ensure_compiler() {
  if [ "$(uname -s)" = Darwin ]; then
    xcode-select -p >/dev/null 2>&1 || stop 'the Xcode command line tools are missing.' 'run: xcode-select --install'
    return
  fi
  missing=''
  compiler_program clang >/dev/null || missing="$missing clang"
  compiler_program ld64.lld >/dev/null || missing="$missing lld"
  [ -z "$missing" ] && return
  may_install || stop_for_compiler 'packages cannot be installed here without asking'
  # shellcheck disable=SC2086 # a list of package names
  apt_install $missing || stop_for_compiler 'apt did not install it, its messages are above'
  if ! compiler_program clang >/dev/null || ! compiler_program ld64.lld >/dev/null; then
    stop 'clang or ld64.lld is still missing after the installation.' \
      'The LLVM of this distribution may be older than 14; install clang-14 and lld-14 or later.'
  fi
}

stop_for_compiler() {
  stop "missing:$missing (LLVM 14 or later): $1." \
    "Debian, Ubuntu: sudo apt-get install -y$missing" \
    'macOS:          brew install llvm lld'
}

# Bundles the command line, because Node 20 runs no TypeScript; again whenever a source is newer.
ensure_cli() {
  cli=$ROOT/.build/cli.mjs
  if [ -f "$cli" ] && [ -z "$(cd "$ROOT" && find build src package.json package-lock.json -newer "$cli" -print 2>/dev/null | head -n 1)" ]; then
    return
  fi
  node "$ROOT/build/setup/bundle.mjs" "$ROOT" || stop 'the command line could not be bundled; the messages are above.'
}

# What the tests want beside the compiler: a program that tells whether it is there, and the Debian package that brings it.
TEST_TOOLS='bsdtar:libarchive-tools 7zz:7zip cpio:cpio xmllint:libxml2-utils llvm-objdump:llvm shellcheck:shellcheck musl-gcc:musl-tools
  qemu-aarch64:qemu-user dash:dash zsh:zsh openssl:openssl jq:jq'
# Packages without a program on PATH: a file tells whether they are there.
TEST_FILES='/usr/aarch64-linux-gnu/lib/libc.so.6:libc6-dev-arm64-cross'

# Prints the Debian packages that the tests want and this machine lacks.
missing_test_packages() {
  for pair in $TEST_TOOLS; do
    llvm_program "${pair%%:*}" >/dev/null || printf '%s ' "${pair##*:}"
  done
  for pair in $TEST_FILES; do
    [ -e "${pair%%:*}" ] || printf '%s ' "${pair##*:}"
  done
  has_file '/usr/lib/gcc-cross/aarch64-linux-gnu/*/crtbegin.o' || printf '%s ' "$(arm64_gcc_package)"
  has_file '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan*' || printf '%s ' "$(sanitizer_package)"
}

# Whether any file matches the pattern.
has_file() {
  # shellcheck disable=SC2086 # the pattern is to be expanded
  set -- $1
  [ -e "$1" ]
}

# The start-up objects of the arm64 C library's compiler carry gcc's version in the package's name.
arm64_gcc_package() {
  for version in 12 13 14 15 16; do
    apt-cache show "libgcc-$version-dev-arm64-cross" >/dev/null 2>&1 && printf 'libgcc-%s-dev-arm64-cross\n' "$version" && return
  done
  printf 'libgcc-12-dev-arm64-cross\n'
}

# The sanitizers' run-time library has the version of clang in its name.
sanitizer_package() {
  version=$("$(compiler_program clang)" --version | sed -n 's/.*clang version \([0-9]*\).*/\1/p')
  printf 'libclang-rt-%s-dev\n' "$version"
}

# Installs what the tests want where that asks nothing. What stays missing is not a reason to stop: its tests are skipped and counted.
ensure_test_tools() {
  [ "$(uname -s)" = Linux ] || return 0
  missing=$(missing_test_packages)
  [ -z "$missing" ] && return
  # shellcheck disable=SC2086 # a list of package names
  if may_install && apt_install $missing; then return; fi
  say "setup: not installed: $missing; the tests that need them are skipped." \
    "To run them: sudo apt-get install -y $missing"
}

# All that a run of tests wants.
ensure_tests() {
  ensure_node
  ensure_compiler
  ensure_modules
  ensure_test_tools
  ensure_cli
}
