//  test_recover.c - what opening makes of a journal that is torn, damaged or strange.

#include "events.h"

#include "base/log.h"
#include "journal/format.h"
#include "journal/verify.h"
#include "memdisk.h"

#define SEGMENT 8192
#define LAST 3 //  Events of the last group

typedef struct {
    uint64_t events;
    bool wrong;
} found_t;

static char *s_dir;

static void
s_see (void *arg, const journal_record_t *record)
{
    found_t *self = arg;
    if (record->kind != JOURNAL_EVENT)
        return;
    self->wrong |=
        record->seq != self->events + 1 || !is_numbered (record, self->events);
    self->events++;
}

static journal_t *
s_open (memdisk_t *disk, found_t *found, pb_error_t *error)
{
    *found = (found_t){0};
    *error = (pb_error_t){0};
    journal_options_t options = {.dir = s_dir,
                                 .segment_bytes = SEGMENT,
                                 .dedupe_events = 1000,
                                 .gather_bytes = 1 << 20,
                                 .disk = memdisk_calls (disk),
                                 .fold = s_see,
                                 .arg = found};
    return journal_open (&options, error);
}

//  A journal with `events` events, the last group of LAST of them.
static memdisk_t *
s_make (uint64_t events)
{
    memdisk_t *disk = memdisk_new ();
    found_t found;
    pb_error_t error;
    journal_t *journal = s_open (disk, &found, &error);
    bool ok = journal && append_numbered (journal, 0, events - LAST, 1)
              && append_numbered (journal, events - LAST, events, LAST);
    journal_close (&journal);
    if (!ok)
        exit (99);
    return disk;
}

//  Where a file's last non-zero byte ends.
static size_t
s_end (const memfile_t *file)
{
    size_t end = file->size;
    while (end && !file->bytes[end - 1])
        end--;
    return end;
}

//  Offset of a file's record number `index`, its head; 0: there is none.
static size_t
s_record (const memfile_t *file, size_t index, record_head_t *head)
{
    size_t at = SEGMENT_HEAD;
    while (at + RECORD_HEAD <= file->size && record_head_get (file->bytes + at, head)) {
        if (!index--)
            return at;
        at += (size_t) record_span (head->size);
    }
    return 0;
}

//  Offset where the last group of a file begins.
static size_t
s_last_group (const memfile_t *file)
{
    record_head_t head;
    size_t start = 0;
    uint64_t group, count;
    for (size_t index = 0, at; (at = s_record (file, index, &head)); index++)
        if (head.kind == JOURNAL_COMMIT) {
            pair_get (file->bytes + at + RECORD_HEAD, &group, &count);
            start = (size_t) group;
        }
    return start;
}

//  ------------------------------------------------------------------ torn tails

typedef enum { TRUNCATED, ZEROED, GARBAGE, FLIPPED, ENDLESS } spoil_t;

static void
s_spoil (uint8_t *bytes, size_t *size, size_t at, size_t end, spoil_t how)
{
    if (how == TRUNCATED)
        *size = at;
    else if (how == ZEROED)
        memset (bytes + at, 0, end - at);
    else if (how == GARBAGE)
        for (size_t index = at; index < end; index++)
            bytes[index] = (uint8_t) (bytes[index] * 31 + index * 7 + 1);
    else if (how == FLIPPED)
        bytes[at] ^= 0x10;
    else
        for (size_t index = at; index < *size; index++)
            bytes[index] = 0xff;
}

//  Open it, see that just `want` events are there, go on, and open it again.
static bool
s_goes_on (memdisk_t *spoiled, uint64_t want, bool cut, size_t at)
{
    memdisk_t *disk = memdisk_copy (spoiled);
    found_t found;
    pb_error_t error;
    journal_summary_t summary;
    const char *sentence = NULL;
    bool verified = verify_on (memdisk_calls (disk), s_dir, &summary, &error);
    uint64_t tail = summary.tail_bytes;
    journal_t *journal = s_open (disk, &found, &error);
    bool sound = verified && journal && found.events == want && !found.wrong
                 && journal_tail_cut (journal, &sentence) == tail && (tail > 0) == cut
                 && (sentence != NULL) == cut;
    if (!sound)
        printf ("# at %zu: opened %d, verified %d, %" PRIu64 " found, tail %" PRIu64
                " %s %s\n",
                at, journal != NULL, verified, found.events, tail,
                sentence ? sentence : "", error.message);
    //  The cut is on disk, whatever comes next.
    journal_close (&journal);
    memdisk_power_on (disk, POWER_FORGET, 0);
    sound = sound && verify_on (memdisk_calls (disk), s_dir, &summary, &error)
            && summary.tail_bytes == 0 && summary.events == want;
    journal = s_open (disk, &found, &error);
    sound = sound && journal && append_numbered (journal, want, want + 4, 2);
    journal_close (&journal);
    journal = s_open (disk, &found, &error);
    sound = sound && journal && found.events == want + 4 && !found.wrong
            && journal_tail_cut (journal, NULL) == 0;
    journal_close (&journal);
    memdisk_destroy (&disk);
    return sound;
}

static void
s_torn (const char *text, uint64_t events, spoil_t how)
{
    memdisk_t *whole = s_make (events);
    size_t files = 0;
    while (memdisk_file (whole, files))
        files++;
    memfile_t *last = memdisk_file (whole, files - 1);
    size_t start = s_last_group (last), end = s_end (last), broken = 0;
    for (size_t at = start; at < end && broken < 3; at++) {
        memdisk_t *disk = memdisk_copy (whole);
        memfile_t *file = memdisk_file (disk, files - 1);
        s_spoil (file->bytes, &file->size, at, end, how);
        size_t rest = s_end (file);
        broken += !s_goes_on (disk, events - LAST, rest > start, at);
        memdisk_destroy (&disk);
    }
    promise (!broken && end - start > 500, "%s at each of %zu bytes of the last group",
             text, end - start);
    memdisk_destroy (&whole);
}

//  ------------------------------------------------------------------ damage

static void
s_refused (memdisk_t *disk, pb_error_code_t code, const char *name, uint64_t offset,
           const char *text)
{
    found_t found;
    pb_error_t error, looked = {0};
    journal_summary_t summary;
    char want[96] = "";
    if (code == PB_E_DAMAGED && name)
        snprintf (want, sizeof want, "%s is damaged at offset %" PRIu64 ",", name,
                  offset);
    else if (name)
        snprintf (want, sizeof want, "%s", name);
    bool verified = verify_on (memdisk_calls (disk), s_dir, &summary, &looked);
    uint64_t before = memdisk_changes (disk);
    journal_t *journal = s_open (disk, &found, &error);
    bool kept = !journal && error.code == code && strstr (error.message, want)
                && memdisk_changes (disk) == before;
    kept = kept && !verified && looked.code == code && strstr (looked.message, want);
    if (code == PB_E_DAMAGED && name)
        kept = kept && strstr (error.message, "parkbus journal verify");
    if (!promise (kept, "%s", text))
        printf ("# wanted \"%s\", said \"%s\" and \"%s\"\n", want, error.message,
                looked.message);
    journal_close (&journal);
}

//  Every byte of a group that was followed by another one.
static void
s_damage_everywhere (void)
{
    memdisk_t *whole = s_make (20);
    memfile_t *last = memdisk_file (whole, 0);
    size_t end = s_last_group (last), refused = 0;
    for (size_t at = SEGMENT_HEAD; at < end; at++) {
        memdisk_t *disk = memdisk_copy (whole);
        memfile_t *file = memdisk_file (disk, 0);
        record_head_t head;
        size_t record = 0;
        for (size_t index = 0, next; (next = s_record (last, index, &head)); index++)
            if (next <= at)
                record = next;
        file->bytes[at] ^= 0x40;
        found_t found;
        pb_error_t error;
        char want[64];
        snprintf (want, sizeof want, " at offset %zu,", record);
        journal_t *journal = s_open (disk, &found, &error);
        if (!journal && error.code == PB_E_DAMAGED && strstr (error.message, want))
            refused++;
        else
            printf ("# at %zu: %d %s\n", at, journal != NULL, error.message);
        journal_close (&journal);
        memdisk_destroy (&disk);
    }
    promise (
        end > 3000 && refused == end - SEGMENT_HEAD,
        "one flipped bit in any of %zu bytes of earlier groups is refused where it is",
        end - SEGMENT_HEAD);
    memdisk_destroy (&whole);
}

static void
s_damages (void)
{
    record_head_t head;
    memdisk_t *disk = s_make (60);
    memfile_t *first = memdisk_file (disk, 0), *second = memdisk_file (disk, 1);
    size_t at = s_record (first, 4, &head);
    memset (first->bytes + at, 0, 16);
    s_refused (disk, PB_E_DAMAGED, first->name, at,
               "zeros in a segment before the last are damage");
    memdisk_destroy (&disk);

    disk = s_make (60);
    first = memdisk_file (disk, 0);
    first->size = at = s_record (first, 5, &head);
    s_refused (disk, PB_E_DAMAGED, first->name, at,
               "a segment before the last that ends early is damage");
    memdisk_destroy (&disk);

    disk = s_make (60);
    second = memdisk_file (disk, 1);
    second->bytes[20] ^= 1;
    s_refused (disk, PB_E_DAMAGED, second->name, 0, "a spoiled head is damage");
    memdisk_destroy (&disk);

    disk = s_make (120);
    memdisk_remove (disk, memdisk_file (disk, 1)->name);
    s_refused (disk, PB_E_DAMAGED, NULL, 0, "a missing segment is damage");
    memdisk_destroy (&disk);

    disk = s_make (10);
    at = s_record (memdisk_file (disk, 0), 2, &head);
    memfile_t *file = memdisk_file (disk, 0);
    memset (file->bytes + at, 0, 300);
    s_refused (disk, PB_E_DAMAGED, file->name, at,
               "a hole before a later group is damage");
    memdisk_destroy (&disk);

    disk = s_make (10);
    file = memdisk_file (disk, 0);
    file->bytes[8] = 2;
    s_refused (disk, PB_E_STORAGE, "has format 2", 0, "a newer format is named");
    memdisk_destroy (&disk);

    //  The second segment's bytes under the first one's name.
    disk = s_make (60);
    memdisk_t *other = memdisk_new ();
    second = memdisk_file (disk, 1);
    memdisk_set (other, memdisk_file (disk, 0)->name, second->bytes, second->size);
    s_refused (other, PB_E_DAMAGED, memdisk_file (disk, 0)->name, 0,
               "a segment under another one's name is damage");
    memdisk_destroy (&other);
    memdisk_destroy (&disk);
}

//  ------------------------------------------------------------------ beginnings

//  A segment that was just being made when the power went.
static void
s_beginnings (void)
{
    static const struct {
        const char *promise;
        size_t size;  //  Of the file
        size_t sound; //  Bytes of its head that are right
    } begun[] = {
        {"a last segment of no bytes is made anew",           0,    0 },
        {"a last segment with half a head is made anew",      30,   30},
        {"a last segment with a torn head is made anew",      4096, 40},
        {"a last segment of zeros is made anew",              4096, 0 },
        {"a last segment with its head only is gone on with", 4096, 64},
    };
    for (size_t index = 0; index < ARRAY_SIZE (begun); index++)
        for (uint64_t files = 1; files <= 2; files++) {
            memdisk_t *disk = files == 1 ? memdisk_new () : s_make (60);
            found_t found = {0};
            pb_error_t error;
            journal_t *journal = files == 1 ? s_open (disk, &found, &error) : NULL;
            journal_close (&journal);
            //  Of several segments the last is cut down; its events are gone with it.
            size_t last = 0;
            while (memdisk_file (disk, last + 1))
                last++;
            memfile_t *file = memdisk_file (disk, last);
            segment_head_t head = {0};
            segment_head_get (file->bytes, &head);
            memset (file->bytes + begun[index].sound, 0,
                    file->size - begun[index].sound);
            file->size = begun[index].size;
            promise (s_goes_on (disk, head.first_seq - 1, false, index),
                     "%s (%zu before it)", begun[index].promise, last);
            memdisk_destroy (&disk);
        }
    memdisk_t *disk = s_make (10);
    memfile_t *file = memdisk_file (disk, 0);
    memset (file->bytes, 0, 64);
    s_refused (disk, PB_E_DAMAGED, file->name, 0,
               "a lost head with records behind it is damage");
    memdisk_destroy (&disk);
}

//  Bytes that look like a later group's COMMIT inside the torn last group.
static void
s_forged (void)
{
    static const struct {
        const char *promise;
        uint64_t salt, place; //  How they differ from those of a real one
        bool damage;
    } rows[] = {
        {"a real later COMMIT makes it damage",                   0, 0, true },
        {"a COMMIT of another segment in a note does not",        1, 0, false},
        {"a COMMIT quoted from another place in a note does not", 0, 8, false},
    };
    for (size_t index = 0; index < ARRAY_SIZE (rows); index++) {
        memdisk_t *disk = s_make (10);
        memfile_t *file = memdisk_file (disk, 0);
        size_t torn = s_end (file);
        torn = (torn + 7) & ~(size_t) 7;
        segment_head_t segment;
        segment_head_get (file->bytes, &segment);
        uint8_t body[10 * COMMIT_SIZE];
        for (size_t at = 0; at < sizeof body; at += COMMIT_SIZE) {
            record_head_t head = {.size = 16, .kind = JOURNAL_COMMIT, .seq = 11};
            record_head_put (body + at, &head);
            pair_put (body + at + RECORD_HEAD, 6000, 1);
            record_sum_put (body + at, segment.salt + rows[index].salt,
                            torn + RECORD_HEAD + at + rows[index].place);
        }
        found_t found;
        pb_error_t error;
        journal_t *journal = s_open (disk, &found, &error);
        bool ok = journal
                  && journal_note (journal, JOURNAL_RAW, body, sizeof body, &error)
                  && POSITION_OFFSET (journal_last_position (journal)) == torn
                  && journal_wait (journal);
        journal_close (&journal);
        file = memdisk_file (disk, 0);
        file->bytes[torn + 20] ^= 1;
        if (rows[index].damage)
            s_refused (disk, PB_E_DAMAGED, file->name, torn, rows[index].promise);
        else
            promise (ok && s_goes_on (disk, 10, true, torn), "%s", rows[index].promise);
        memdisk_destroy (&disk);
    }
}

int
main (void)
{
    log_setup ((log_level_t) (LOG_ERROR_ - 1), LOG_TEXT);
    s_dir = temp_dir ();
    static const struct {
        const char *text;
        spoil_t how;
    } torn[] = {
        {"cut off",                   TRUNCATED},
        {"zeros from there on",       ZEROED   },
        {"garbage from there on",     GARBAGE  },
        {"one bit",                   FLIPPED  },
        {"0xff to the segment's end", ENDLESS  },
    };
    for (size_t index = 0; index < ARRAY_SIZE (torn); index++) {
        s_torn (torn[index].text, 10, torn[index].how);
        if (torn[index].how == TRUNCATED || torn[index].how == GARBAGE)
            s_torn (torn[index].text, 60, torn[index].how);
    }
    s_damage_everywhere ();
    s_damages ();
    s_beginnings ();
    s_forged ();
    remove_dir (s_dir);
    return promises_kept ();
}
