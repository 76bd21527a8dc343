#!/bin/sh
# test.sh - every test. Its last line is "N passed, N failed, N skipped".
#
#   ./test.sh [PART…]     parts: check asan fuzz system dist; without one: all of them
#
#   check    make check, in build/
#   asan     the same and the system tests under AddressSanitizer and UBSan, warnings of
#            gcc are errors
#   fuzz     each fuzzer for FUZZ_SECONDS (10), warnings of clang are errors
#   system   tests/system/test_*: the installed programs, as a user runs them
#   dist     make distcheck
# shellcheck disable=SC2317,SC3013,SC2015
set -u
cd -- "$(dirname -- "$0")" || exit 1
top=$PWD
build=$top/build
logs=$build/test-logs
passed=0 failed=0 skipped=0

case " $* " in
*" -h "*|*" --help "*) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0;;
esac
for part in "$@"; do
    case $part in
    check|asan|fuzz|system|dist) ;;
    *) printf 'test: unknown part %s; see ./test.sh --help\n' "$part" >&2; exit 2;;
    esac
done
parts=${*:-check asan system fuzz dist}

say () { printf '%s\n' "$*"; }

# One result: ok | fail | skip, its name, and for a failure the log to show the end of.
result () {
    case $1 in
    ok)   passed=$((passed + 1)); say "  ok    $2";;
    skip) skipped=$((skipped + 1)); say "  skip  $2";;
    fail) failed=$((failed + 1)); say "  FAIL  $2"
          [ -f "${3:-}" ] && tail -n 40 "$3" | sed 's/^/        | /';;
    esac
}

finish () {
    say "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
}

# Count what automake's driver left under a build folder, after its exit code and log.
count_trs () {
    folder=$1 code=$2 log=$3 label=$4
    before=$failed
    # The last word of ":test-result: PASS name"; a file each.
    find "$folder" \( -path "$build/asan" -o -path "$build/fuzz" -o -name "parkbus-*" \) \
        ! -path "$folder" -prune -o -name '*.trs' -print | sort >"$logs/trs"
    while IFS= read -r trs; do
        name=${trs#"$folder"/}; name="$label ${name%.trs}"
        while read -r tag outcome rest; do
            [ "$tag" = :test-result: ] || continue
            case $outcome in
            PASS|XFAIL) result ok "$name${rest:+ $rest}";;
            SKIP) result skip "$name${rest:+ $rest}";;
            *) result fail "$name${rest:+ $rest}" "${trs%.trs}.log";;
            esac
        done <"$trs"
    done <"$logs/trs"
    # Did not even build, or died outside a test.
    [ "$code" = 0 ] || [ "$failed" -gt "$before" ] || result fail "$label build" "$log"
}

# make check in a build folder; what else is given goes to make.
check () {
    folder=$1 label=$2
    shift 2
    find "$folder" \( -path "$build/asan" -o -path "$build/fuzz" -o -name "parkbus-*" \) ! -path "$folder" \
        -prune -o -name '*.trs' -exec rm -f {} +
    make -k -C "$folder" -j2 check "$@" >"$logs/$label.log" 2>&1
    count_trs "$folder" $? "$logs/$label.log" "$label"
}

# A build folder of its own: name, then what configure is given.
configured () {
    name=$1
    shift
    mkdir -p "$build/$name"
    [ "$build/$name/Makefile" -nt configure ] && return
    (cd "$build/$name" && ../../configure --silent --prefix="$build/$name/stage" "$@") \
        >"$logs/$name-configure.log" 2>&1 && return
    result fail "$name configure" "$logs/$name-configure.log"
    return 1
}

part_check () { check "$build" check; }

part_asan () {
    configured asan --enable-sanitizers || return
    UBSAN_OPTIONS=print_stacktrace=1 check "$build/asan" asan "CC=gcc -Werror"
    if ! make -C "$build/asan" install >"$logs/asan-install.log" 2>&1; then
        result fail "asan install" "$logs/asan-install.log"
        return
    fi
    # What measures memory or speed, or takes long, looks at PARKBUS_SANITIZED.
    PARKBUS_SANITIZED=1 KILLS=20 system "$build/asan/stage" asan-system
}

# The system tests against an installation, two at once: they mostly wait.
system () {
    label=$2
    # shellcheck disable=SC2016 # the inner shell expands it
    printf '%s\0' tests/system/test_* |
        PARKBUS_STAGE="$1" srcdir="$top" builddir="$build" LOG="$logs/$label" \
        xargs -0 -n 1 -P 2 sh -c '[ -x "$1" ] || exit 0
            timeout -k 10 900 "$1" >"$LOG-${1##*/}.log" 2>&1
            echo $? >"$LOG-${1##*/}.code"' sh
    for test in tests/system/test_*; do
        [ -x "$test" ] || continue
        name=${test##*/}
        case $(cat "$logs/$label-$name.code") in
        0) result ok "$label $name";;
        77) result skip "$label $name: $(tail -n 1 "$logs/$label-$name.log")";;
        *) result fail "$label $name" "$logs/$label-$name.log";;
        esac
        rm -f "$logs/$label-$name.code"
    done
}

part_system () { system "$build/stage" system; }

# One fuzzer: its corpus is read, what it finds new stays in build/.
fuzz_one () {
    program=$1 name=$2 new=$3
    mkdir -p "$new"
    "$program" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$new/" -print_final_stats=1 "$new" \
        "tests/fuzz/corpus/${name#fuzz_}" >"$logs/$name.log" 2>&1 || echo >"$logs/$name.failed"
}

part_fuzz () {
    configured fuzz CC=clang --enable-fuzzers || return
    if ! make -k -C "$build/fuzz" -j2 "CC=clang -Werror" >"$logs/fuzz.log" 2>&1; then
        result fail "clang build" "$logs/fuzz.log"
        return
    fi
    result ok "clang build, without a warning"
    rm -f "$logs"/fuzz_*.failed
    running=0
    set --
    for program in "$build"/fuzz/fuzz_* "$build"/fuzz/tests/fuzz/fuzz_*; do
        [ -f "$program" ] && [ -x "$program" ] || continue
        name=$(basename "$program")
        set -- "$@" "$name"
        fuzz_one "$program" "$name" "$build/fuzz/found/${name#fuzz_}" &
        running=$((running + 1))
        [ $((running % 2)) = 0 ] && wait
    done
    wait
    for name in "$@"; do
        if [ -f "$logs/$name.failed" ]; then result fail "$name" "$logs/$name.log"
        else result ok "$name"; fi
    done
}

part_dist () {
    case $top in *[[:space:]]*)
        result skip "make distcheck: libtool cannot install under a path with spaces"
        return;;
    esac
    # What the tarball builds by default has to be silent too.
    if make -C "$build" -j2 distcheck 'AM_MAKEFLAGS=CC="gcc -Werror"' >"$logs/dist.log" 2>&1; then
        result ok "make distcheck"
    else
        result fail "make distcheck" "$logs/dist.log"
    fi
}

./setup.sh --tests || { result fail "setup.sh"; finish; }
mkdir -p "$logs"
export PYTHONDONTWRITEBYTECODE=1
for part in $parts; do
    say "$part:"
    began=$(date +%s)
    "part_$part"
    say "  ($(($(date +%s) - began)) s)"
done
finish
