#!/bin/sh
# install-plain.sh - stands in for libtool at `make install` under a path with spaces, which
# libtool cannot install to. Our programs and modules need no relinking, so copying is all.
#
#   install-plain.sh --mode=install INSTALL [OPTION…] FILE… TARGET
while [ $# -gt 0 ]; do
    case $1 in -*) shift;; *) break;; esac
done
program=$1
shift
# Everything but the last word, with NAME.la and wrapper scripts replaced by what they stand for.
count=$#
while [ "$count" -gt 1 ]; do
    word=$1
    count=$((count - 1))
    shift
    real=$(dirname -- "$word")/.libs/$(basename -- "$word" .la)
    case $word in
    *.la) word=$real.so;;
    -*) ;;
    *) [ -f "$real" ] && word=$real;;
    esac
    set -- "$@" "$word"
done
target=$1
shift
exec "$program" "$@" "$target"
