#!/bin/sh
# check-po.sh - is every sentence for people translated? Prints those that are not, or are
# fuzzy.
#
#   check-po.sh            complain (exit 1); 77 without gettext's tools
#   check-po.sh --update   take the sources' sentences into the catalogues
cd "${srcdir:-.}" || exit 99
for tool in xgettext msgmerge msgattrib msgfmt; do
    command -v $tool >/dev/null || exit 77
done
LC_ALL=C; export LC_ALL # the tools' own words; the catalogues say that they are UTF-8
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

rooms=$(for room in core plugins sdk tools; do [ -d $room ] && echo $room; done)
# shellcheck disable=SC2086 # one word per room
find $rooms -name '*.[ch]' | LC_ALL=C sort > "$work/sources"
xgettext --files-from="$work/sources" --output="$work/parkbus.pot" --language=C \
    --from-code=UTF-8 --add-location=file --package-name=parkbus --no-wrap \
    --keyword=_ --keyword=N_ --flag=_:1:pass-c-format --flag=N_:1:pass-c-format \
    --flag=pb_error:4:c-format --flag=log_line:3:c-format --flag=config_wrong:4:c-format \
    || exit 1

bad=0
for catalogue in po/*.po; do
    new="$work/new.po"
    # No fuzzy guesses: a sentence that says the opposite looks much the same.
    msgmerge --quiet --no-fuzzy-matching --no-wrap --add-location=file \
        --output-file="$new" "$catalogue" "$work/parkbus.pot" || exit 1
    if [ "$1" = --update ]; then
        # Without the hour of the update: it would differ in every branch.
        msgattrib --no-obsolete --no-wrap --output-file="$new" "$new" || exit 1
        sed '/^"POT-Creation-Date:/d' "$new" > "$catalogue" || exit 1
        continue
    fi
    msgfmt --check --output-file=/dev/null "$new" || bad=1
    for which in untranslated only-fuzzy; do
        # Every entry but the catalogue's head, without its translation. A sentence of
        # several lines begins with an empty one, as the head does.
        found=$(msgattrib --$which --no-obsolete --no-wrap "$new" |
            awk -v RS= '/(^|\n)msgid ""\nmsgstr/ { next } { sub(/\nmsgstr.*/, ""); print }')
        [ -z "$found" ] && continue
        printf '%s\n' "$catalogue, $which:"
        printf '%s\n' "$found"
        bad=1
    done
done
[ $bad = 0 ] || echo "run 'make update-po' and translate what is missing in po/"
exit $bad
