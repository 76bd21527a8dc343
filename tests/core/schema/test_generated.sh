#!/bin/sh
# test_generated.sh - etc/schema/ and docs/events.md are what the types table makes.
: "${srcdir:=.}" "${builddir:=.}"
made=$(mktemp -d) || exit 99
trap 'rm -rf "$made"' EXIT
"$builddir/pb-gen-schema" "$made" || exit 1
diff -r "$made/etc/schema" "$srcdir/etc/schema" &&
    diff "$made/docs/events.md" "$srcdir/docs/events.md" && exit 0
echo "The types table has changed: run 'make schema-files' and commit what it writes."
exit 1
