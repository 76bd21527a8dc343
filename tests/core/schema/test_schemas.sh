#!/bin/sh
# test_schemas.sh - the schemas in etc/schema/ and event_read () give the same verdicts.
# Skipped where python3-jsonschema is not installed.
: "${srcdir:=.}" "${builddir:=.}"
export srcdir builddir
for python in python3 /usr/bin/python3; do
    "$python" -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null &&
        exec "$python" "$srcdir/tests/core/schema/test_schemas.py"
done
echo "python3-jsonschema is not installed: skipped"
exit 77
