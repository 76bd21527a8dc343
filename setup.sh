#!/bin/sh
# setup.sh - packages, build, installation under build/stage. Says what it does; a second
# run finds everything there and does nothing.
#
#   ./setup.sh [--tests]      --tests: also what only ./test.sh needs (clang, fuzzers)
#
# Nothing outside this folder is written, apt packages aside.
set -u
cd -- "$(dirname -- "$0")" || exit 1
top=$PWD
build=$top/build
stage=$build/stage
log=$build/setup.log

# One word per package; a|b is satisfied by either.
packages="build-essential autoconf automake libtool pkg-config|pkgconf gettext
libzmq3-dev libczmq-dev libcurl4-openssl-dev|libcurl4-gnutls-dev libjson-c-dev libssl-dev
libmicrohttpd-dev libyaml-dev libcmocka-dev
python3 python3-zmq python3-yaml ca-certificates curl procps tzdata"
test_packages="clang libclang-rt-14-dev|libclang-rt-dev python3-jsonschema"

say () { printf 'setup: %s\n' "$*"; }
die () { printf 'setup: %s\n' "$*" >&2; exit 1; }

for word in "$@"; do
    case $word in
    --tests) packages="$packages $test_packages";;
    -h|--help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0;;
    *) printf 'setup: unknown option %s; see ./setup.sh --help\n' "$word" >&2; exit 2;;
    esac
done

# ---------------------------------------------------------------------------- packages

missing_packages () {
    have=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null |
           sed -n 's/^installed //p')
    for choice in $packages; do
        found=
        for name in $(echo "$choice" | tr '|' ' '); do
            case "
$have
" in *"
$name
"*) found=yes;; esac
        done
        [ -n "$found" ] || echo "${choice%%|*}"
    done
}

as_root () {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages () {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "this is not Debian; taking it for granted that these are there: $packages"
        return
    fi
    missing=$(missing_packages | tr '\n' ' ')
    missing=${missing% }
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1 ||
        die "packages are missing and there is no sudo; as root: apt-get install $missing"
    say "installing $missing"
    # An update that fails (no network to one mirror) need not make the installation fail.
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update >>"$log" 2>&1
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 install $missing >>"$log" 2>&1 ||
        die "apt-get could not install $missing; its last words: $(tail -n 1 "$log") (all of it: build/setup.log)"
}

# ---------------------------------------------------------------------------- building

# Run a step, its output to the log; on failure show the end of it and give up.
step () {
    what=$1; shift
    printf '\n==== %s: %s\n' "$what" "$*" >>"$log"
    "$@" >>"$log" 2>&1 && return
    tail -n 30 "$log" >&2
    die "$what failed; the lines above are the end of build/setup.log"
}

# Is anything in the sources newer than this file? Folders count, for what was deleted;
# what the tools themselves make does not.
newer_than () {
    [ -n "$(find . \( -path ./build -o -path ./.git -o -path ./m4 -o -path ./build-aux \
        -o -name autom4te.cache -o -name __pycache__ -o -name 'configure*~' \
        -o -path ./configure -o -path ./aclocal.m4 -o -path './config.h.in*' \
        -o -path ./Makefile.in \) -prune -o "$@" -print 2>/dev/null | head -n 1)" ]
}

prepare () {   # configure and Makefile.in
    # shellcheck disable=SC3013 # dash and bash have -nt
    if [ ! -x configure ] || [ ! -f Makefile.in ] || [ configure.ac -nt configure ] ||
        newer_than \( -name Makefile.am -o -name module.am \) -newer Makefile.in; then
        say "preparing (autoreconf)"
        step autoreconf autoreconf -fi
    fi
}

configure () {
    # A folder that was moved, or configured by hand, holds other paths.
    if [ -f "$build/Makefile" ] && [ "$(cat "$build/.configured" 2>/dev/null)" = "$stage" ]
    then return; fi
    say "configuring"
    if [ -f "$build/Makefile" ]; then
        step cleaning make -C "$build" clean
    fi
    cd "$build" || exit 1
    # Relative: configure refuses a source folder with a space in its name.
    step configure ../configure --prefix="$stage" --localstatedir="$stage/var" --silent
    cd "$top" || exit 1
    printf '%s\n' "$stage" >"$build/.configured"
}

mkdir -p "$build" || die "cannot make $build; is the folder writable?"
# Two at once (./run.sh and ./test.sh) wait for each other.
exec 9>"$build/.lock"
flock 9 || die "cannot lock $build/.lock"

install_packages
if [ -f "$build/.installed" ] && [ -x "$stage/bin/parkbus" ] &&
    [ "$(cat "$build/.configured" 2>/dev/null)" = "$stage" ] &&
    ! newer_than \( -type f -o -type d \) ! -name . -newer "$build/.installed"
then
    say "ready in build/stage"
    exit 0
fi

: >"$log"
touch "$build/.begun"
prepare
configure
say "building (log: build/setup.log)"
step "the build" make -C "$build" -j2
# libtool cannot install to a path with spaces; under one, plain copying does it.
case $top in
*[[:space:]]*) step "the installation" make -C "$build" install \
                   "LIBTOOL=sh ../tools/install-plain.sh";;
*) step "the installation" make -C "$build" install;;
esac
# What was changed meanwhile is built next time.
mv "$build/.begun" "$build/.installed"
say "ready in build/stage"
