#!/bin/sh
# check-floors.sh - each room includes only floors below its own; a plugin includes only
# parkbus/plugin.h, sdk/ and its own files. Prints every include that climbs.
cd "${srcdir:-.}" || exit 99
# One floor per word, lowest first; rooms of one floor do not know each other.
floors="base schema:config journal:http bus:ledger delivery charge host:admin daemon"

floor () {   # number of a room's floor, or nothing when it is no room of ours
    n=0
    for level in $floors; do
        n=$((n + 1))
        case ":$level:" in *":$1:"*) echo $n; return;; esac
    done
}

climbs=$(
    grep -rHoE --include='*.[ch]' '^#include "[a-z]+/' core plugins sdk include |
    sed 's/:#include "/ /; s|/$||' |
    while read -r file to; do
        room=$(echo "$file" | cut -d/ -f2)
        above=$(floor "$to")
        case $file in
        include/*) [ "$to" = parkbus ] || echo "$file -> $to";;
        sdk/*)     [ "$to" = parkbus ] || [ "$to" = sdk ] || echo "$file -> $to";;
        plugins/*) [ "$to" = parkbus ] || [ "$to" = sdk ] || [ "$to" = plugins ] || echo "$file -> $to";;
        core/*)    case $to in plugins|sdk|tools) echo "$file -> $to";; esac
                   [ "$to" != "$room" ] && [ -n "$above" ] &&
                   [ "$above" -ge "$(floor "$room")" ] && echo "$file -> $to";;
        esac
    done)
# A plugin may not look into another plugin.
climbs="$climbs$(grep -rHoE --include='*.[ch]' '^#include "plugins/[a-z0-9-]+/' plugins |
    awk -F'[:/"]' '$2 != $6 { print $0 }')"
[ -z "$climbs" ] && exit 0
echo "$climbs"
exit 1
