//  Events: what is read, what is refused and which member is to blame.
//
//  JSON stands with single quotes here, for legibility; in a row they become double ones.

#include <inttypes.h>
#include <stdlib.h>
#include "base/moment.h"
#include "promise.h"
#include "schema/event.h"

//  2026-11-21T08:00:00+08:00
#define NOW INT64_C (1795219200000)

//  An entry that is right, by its parts.
#define HEAD "'specversion':'1.0','id':'e1','source':'gate/in-1'"
#define TIME "'time':'2026-11-21T08:00:00.123+08:00'"
#define IN HEAD ",'type':'in.recorded','subject':'V1'," TIME ",'lot':'north'"
#define DATA "'data':{'plate':'京A12345'}"
#define OF(type, rest) "{" HEAD ",'type':'" type "'," TIME ",'lot':'north'," rest "}"
#define GATE(data) OF ("gate.opened", "'lane':'in-1','data':{" data "}")
#define X(rest) "{" HEAD ",'type':'x.own'," TIME rest "}"
#define CASH "'amount':500,'payment':'c1','tender':'cash','witness':'person'"

static bool
s_lot_known (void *arg, span_t lot)
{
    (void) arg;
    return span_is (lot, "north") || span_is (lot, "south-2");
}

static bool
s_reserved (void *arg, span_t source)
{
    (void) arg;
    return span_is (source, "parkbus") || span_is (source, "cmb");
}

static const event_rules_t client = {true,        NOW,        "+08:00",
                                     s_lot_known, s_reserved, NULL};
static const event_rules_t broker = {false, NOW, "+08:00", s_lot_known, NULL, NULL};

static char *
s_quoted (const char *text)
{
    char *copy = xstrdup (text);
    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    return copy;
}

//  What is written for what was sent.
static const struct {
    const char *promise;
    const char *sent;
    const char *written; //  NULL: the same
} accepted[] = {
  // clang-format off
    {"a whole event stays as it is", "{" IN ",'lane':'in-1'," DATA "}", NULL},
    {"members are put in order, data last",
     "{" DATA ",'lot':'north','type':'in.recorded','id':'e1'," TIME
     ",'subject':'V1','source':'gate/in-1','specversion':'1.0'}", "{" IN "," DATA "}"},
    {"specversion is added",
     "{'id':'e1','source':'gate/in-1','type':'in.recorded','subject':'V1'," TIME
     ",'lot':'north'," DATA "}", "{" IN "," DATA "}"},
    {"an absent time is now, in the lot's offset",
     "{" HEAD ",'type':'in.recorded','subject':'V1','lot':'north'," DATA "}",
     "{" HEAD ",'type':'in.recorded','subject':'V1','time':'2026-11-21T08:00:00+08:00',"
     "'lot':'north'," DATA "}"},
    {"white space goes",
     " \n{ " HEAD " ,\t'type' : 'in.recorded','subject':'V1'," TIME
     ",'lot':\r\n'north','data' : { 'plate' : '京A12345' } } \n", "{" IN "," DATA "}"},
    {"but not inside strings",
     "{" IN ",'data':{'plate':'京A12345', 'remark':' a  b\\t\\n '}}",
     "{" IN ",'data':{'plate':'京A12345','remark':' a  b\\t\\n '}}"},
    {"unknown members are kept, in their order, before data",
     "{'zeta':[1, 2],'traceparent':'00-1',"
     " 'n':-5,'b':true, 'o':{ 'k' : [ ] },'\\u0061b':'c'," IN "," DATA "}",
     "{" IN ",'zeta':[1,2],'traceparent':'00-1','n':-5,'b':true,'o':{'k':[]},"
     "'\\u0061b':'c'," DATA "}"},
    {"unknown members of data are kept",
     "{" IN ",'data':{'plate':'京A12345','ext':{'a':[{},[],'x',0,-1,false]},'':1}}",
     NULL},
    {"values stay as they were written",
     "{" IN ",'data':{'plate':'\\u4eacA12345','remark':'\\/\\u00e9\\ud83d\\ude97'}}",
     NULL},
    {"a member of data may be named with escapes",
     "{" IN ",'data':{'pl\\u0061te':'京A12345'}}", NULL},
    {"the largest integers are kept",
     "{" IN ",'data':{'plate':'1','a':9007199254740991,'b':-9007199254740991}}", NULL},
    {"escapes in the envelope's values are resolved",
     "{'specversion':'1\\u002e0','id':'e\\u0031','source':'gate\\/in-1',"
     "'type':'in\\u002Erecorded','subject':'\\u0056\\u0031',"
     "'time':'2026-11-21T08:00:00.123\\u002B08:00','lot':'n\\u006frth',"
     "'lane':'\\u0069n-1'," DATA "}", "{" IN ",'lane':'in-1'," DATA "}"},
    {"a source may be Chinese, with escapes",
     "{'specversion':'1.0','id':'e1','source':'\\u95e8/1','type':'x.own'," TIME
     ",'data':{}}",
     "{'specversion':'1.0','id':'e1','source':'门/1','type':'x.own'," TIME
     ",'data':{}}"},
    {"16 levels are kept",
     "{" IN ",'data':{'plate':'1','a':[[[[[[[[[[[[[[]]]]]]]]]]]]]]}}", NULL},
    {"data is added where none is needed", OF ("lot.changed", "'n':1"),
     OF ("lot.changed", "'n':1,'data':{}")},
    {"third parties' events need no lot", X (",'data':{'a':1}"), NULL},
    {"nor data", X (""), X (",'data':{}")},
    {"a lot's name may have a hyphen",
     "{" HEAD ",'type':'space.changed'," TIME ",'lot':'south-2','data':{'free':0}}",
     NULL},
    {"cash by a person", OF ("pay.captured", "'data':{" CASH ",'operator':'0003'}"),
     NULL},
    {"a refund by a person",
     OF ("refund.done", "'data':{'refund':'r1','witness':'person','operator':'0003'}"),
     NULL},
    {"entry: all that it may carry",
     "{" IN ",'lane':'in-1','data':{'plate':'粤BD12345','plate_color':'green',"
     "'vehicle_class':'small','energy':'electric','user_class':'temporary','body':'3',"
     "'spaces_free':0,'picture':'a/b.jpg','operator':'','remark':''}}", NULL},
    {"exit: with payments",
     "{" HEAD ",'type':'out.recorded','subject':'V1'," TIME ",'lot':'north','data':{"
     "'plate':'京A12345','entered_at':'2026-11-21T07:00:00+08:00','lane_in':'in-1',"
     "'total_due':1000,'discount':0,'payments':[{'tender':'cmb','due':1000,'paid':1000,"
     "'ref':'12343535','paid_at':'2026-11-21T07:59:00+08:00','cashier':'x'},{}],"
     "'settlement':'paid','spaces_free':5}}", NULL},
    {"gate: paid, because", GATE ("'reason':'paid','because':'e0'"), NULL},
    {"gate: by hand, by whom and why",
     GATE ("'reason':'manual','operator':'0003','remark':'broken'"), NULL},
    {"gate: other reasons need no more", GATE ("'reason':'contract','hold':true"),
     NULL},
    {"a picture by path",
     OF ("picture.captured", "'data':{'direction':'in','path':'a.jpg'}"), NULL},
    {"a picture by URL",
     OF ("picture.captured", "'data':{'direction':'in','url':'http://a'}"), NULL},
    {"a correction with its value",
     "{" HEAD ",'type':'in.corrected','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'what':'plate','plate':'京A1'}}", NULL},
    {"a correction that needs none",
     "{" HEAD ",'type':'in.corrected','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'what':'voided'}}", NULL},
  // clang-format on
};

//  What only parkbus and its plugins say, as they say it.
static const struct {
    const char *promise;
    const char *sent;
} own[] = {
  // clang-format off
    {"bind.added of a plate",
     OF ("bind.added", "'data':{'plate':'京A1','limit':20000}")},
    {"bind.added of a person",
     OF ("bind.added", "'data':{'scope':'person','person':'p1'}")},
    {"pay.captured by a push",
     OF ("pay.captured", "'data':{'amount':0,'payment':'1','tender':'cmb',"
          "'witness':'push','settled':99,'settled_micro':990001}")},
    {"pay.confirmed",
     OF ("pay.confirmed", "'data':{'payment':'1','witness':'answer','amount':5,'proven':false}")},
    {"alarm without a lot",
     "{" HEAD ",'type':'alarm.raised'," TIME ",'data':{'name':'a','sentence':'b'}}"},
    {"plugin.changed",
     "{" HEAD ",'type':'plugin.changed'," TIME ",'data':{'name':'cmb','state':'up'}}"},
    {"fee.quoted",
     OF ("fee.quoted", "'data':{'quote':'q','total':5,'due':5,'paid':0,"
          "'discounts':[{'unit':'money','name':'n','value':5}]}")},
    {"pay.surplus with any list",
     OF ("pay.surplus", "'data':{'amount':5,'payments':['a',{'b':1}]}")},
    {"case.opened", OF ("case.opened", "'data':{'case':'c1','reason':'uncertain'}")},
    {"visit.settled",
     OF ("visit.settled", "'data':{'quote':'q','due':5,'captured':5}")},
  // clang-format on
};

static const struct {
    const char *promise;
    const char *sent;
    const char *field;
    pb_error_code_t code; //  0: PB_E_BAD_EVENT
} refused[] = {
  // clang-format off
    //  JSON
    {"nothing is no event", "", "", 0},
    {"white space is none", "  ", "", 0},
    {"a list is none", "[]", "", 0},
    {"a text is none", "'a'", "", 0},
    {"two are not one", X ("") "{}", "", 0},
    {"no end", "{" IN "," DATA, "data", 0},
    {"no end in a string", "{" IN ",'data':{'plate':'京", "data.plate", 0},
    {"no end in a name", "{" IN ",'da", "lot", 0},
    {"a comma too many", "{" IN "," DATA ",}", "data", 0},
    {"no comma", "{" IN " " DATA "}", "lot", 0},
    {"no colon", "{" IN ",'data'{}}", "data", 0},
    {"a name without quotes", "{" IN ",data:{}}", "lot", 0},
    {"a comma too many in a list", X (",'data':{'a':[1,]}"), "data.a[1]", 0},
    {"a bracket for a brace", X (",'data':{'a':[1}}"), "data.a[0]", 0},
    {"a comment", X (",/**/'data':{}"), "time", 0},
    {"a word that is none", X (",'data':{'a':tru}"), "data.a", 0},
    {"a word in capitals", X (",'data':{'a':True}"), "data.a", 0},
    {"NaN", X (",'data':{'a':NaN}"), "data.a", 0},
    {"a control character", X (",'data':{'a':'\t'}"), "data.a", 0},
    {"not UTF-8", X (",'data':{'a':'\xbe\xa9'}"), "", 0},
    {"a byte order mark", "\xef\xbb\xbf" X (""), "", 0},
    {"null", X (",'data':{'a':null}"), "data.a", 0},
    {"null in a list", X (",'data':{'a':[1,{'b':null}]}"), "data.a[1].b", 0},
    {"null in the envelope", "{" IN ",'lane':null," DATA "}", "lane", 0},
    {"a fraction", X (",'data':{'a':1.5}"), "data.a", 0},
    {"a fraction of nothing", X (",'data':{'a':1.0}"), "data.a", 0},
    {"an exponent", X (",'data':{'a':1e3}"), "data.a", 0},
    {"a capital exponent", X (",'data':{'a':1E3}"), "data.a", 0},
    {"minus zero", X (",'data':{'a':-0}"), "data.a", 0},
    {"a zero in front", X (",'data':{'a':01}"), "data.a", 0},
    {"a plus", X (",'data':{'a':+1}"), "data.a", 0},
    {"a minus alone", X (",'data':{'a':-}"), "data.a", 0},
    {"2^53", X (",'data':{'a':9007199254740992}"), "data.a", 0},
    {"-2^53", X (",'data':{'a':-9007199254740992}"), "data.a", 0},
    {"20 digits", X (",'data':{'a':12345678901234567890}"), "data.a", 0},
    {"an escaped NUL", X (",'data':{'a':'\\u0000'}"), "data.a", 0},
    {"an escaped NUL in a name", X (",'data':{'a\\u0000':1}"), "data", 0},
    {"a low surrogate alone", X (",'data':{'a':'\\udc00'}"), "data.a", 0},
    {"a high surrogate alone", X (",'data':{'a':'\\ud800x'}"), "data.a", 0},
    {"two high surrogates", X (",'data':{'a':'\\ud800\\ud800'}"), "data.a", 0},
    {"an unknown escape", X (",'data':{'a':'\\x41'}"), "data.a", 0},
    {"a cut escape", X (",'data':{'a':'\\u00'}"), "data.a", 0},
    {"an escape that is no hex", X (",'data':{'a':'\\u00g0'}"), "data.a", 0},
    {"17 levels", X (",'data':{'a':[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"),
     "data.a[0][0][0][0][0][0][0][0][0][0][0][0][0][0]", 0},
    {"a member twice", "{" IN ",'lot':'north'," DATA "}", "lot", 0},
    {"a member of data twice", X (",'data':{'a':1,'b':2,'a':1}"), "data.a", 0},
    {"twice, once with escapes", X (",'data':{'a':1,'\\u0061':1}"), "data.\\u0061", 0},
    {"twice far down", X (",'data':{'a':[{'b':{'c':1,'c':2}}]}"), "data.a[0].b.c", 0},
    {"an unknown member twice", X (",'n':1,'n':1"), "n", 0},
    {"an envelope name with escapes", "{'\\u0069d':'e1','source':'g','type':'x.own'}",
     "id", 0},
    {"data with escapes in its name", X (",'d\\u0061ta':{}"), "data", 0},

    //  Envelope
    {"another specversion",
     "{'specversion':'0.3','id':'1','source':'g','type':'x.own'}", "specversion", 0},
    {"a number as specversion",
     "{'specversion':1,'id':'1','source':'g','type':'x.own'}", "specversion", 0},
    {"no source", "{'id':'e1','type':'x.own'}", "source", 0},
    {"an empty source", "{'id':'e1','source':'','type':'x.own'}", "source", 0},
    {"a source of 65 bytes",
     "{'id':'e1','source':"
     "'12345678901234567890123456789012345678901234567890123456789012345',"
     "'type':'x.own'}", "source", 0},
    {"a quote in source", "{'id':'e1','source':'g\\u00221','type':'x.own'}", "source",
     0},
    {"a backslash in id", "{'id':'e\\\\1','source':'g','type':'x.own'}", "id", 0},
    {"a line end in source", "{'id':'e1','source':'g\\n','type':'x.own'}", "source", 0},
    {"a lot that is none once decoded", X (",'lot':'\\u4eac'"), "lot", 0},
    {"65 bytes with escapes",
     "{'id':'\\u006bkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk','source':'g',"
     "'type':'x.own'}", "id", 0},
    {"very many bytes with escapes",
     "{'id':'\\u006bkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
     "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk','source':'g','type':'x.own'}", "id", 0},
    {"DEL in source", "{'id':'e1','source':'g\x7f','type':'x.own'}", "source", 0},
    {"an empty id", "{'id':'','source':'g','type':'x.own'}", "id", 0},
    {"a number as id", "{'id':1,'source':'g','type':'x.own'}", "id", 0},
    {"no type", "{'id':'e1','source':'g'}", "type", 0},
    {"an unknown type", "{'id':'e1','source':'g','type':'in.recorde'}", "type", 0},
    {"half a type", "{'id':'e1','source':'g','type':'in'}", "type", 0},
    {"x without a word", "{'id':'e1','source':'g','type':'x.'}", "type", 0},
    {"x with two words", "{'id':'e1','source':'g','type':'x.a.b'}", "type", 0},
    {"x with a capital", "{'id':'e1','source':'g','type':'x.A'}", "type", 0},
    {"x with 33 letters",
     "{'id':'e1','source':'g','type':'x.123456789012345678901234567890123'}", "type",
     0},
    {"no subject", "{" HEAD ",'type':'in.recorded'," TIME ",'lot':'north'," DATA "}",
     "subject", 0},
    {"a subject with a dot",
     "{" HEAD ",'type':'in.recorded','subject':'V.1'," TIME ",'lot':'north'," DATA "}",
     "subject", 0},
    {"a subject of 49",
     X (",'subject':'1234567890123456789012345678901234567890123456789'"), "subject",
     0},
    {"no lot", "{" HEAD ",'type':'in.recorded','subject':'V1'," TIME "," DATA "}",
     "lot", 0},
    {"an unknown lot",
     "{" HEAD ",'type':'in.recorded','subject':'V1'," TIME ",'lot':'east'," DATA "}",
     "lot", 0},
    {"an unknown lot of others", X (",'lot':'east'"), "lot", 0},
    {"a lot with a capital", X (",'lot':'North'"), "lot", 0},
    {"a lane that is none", X (",'lane':'in 1'"), "lane", 0},
    {"an empty lane", X (",'lane':''"), "lane", 0},
    {"no lane at a gate", OF ("gate.opened", "'data':{'reason':'entry'}"), "lane", 0},
    {"no lane for a waiting car", OF ("lane.waiting", "'data':{'direction':'in'}"),
     "lane", 0},
    {"a time without offset", "{" HEAD ",'type':'x.own','time':'2026-11-21T08:00:00'}",
     "time", 0},
    {"a time as a number", "{" HEAD ",'type':'x.own','time':1795219200}", "time", 0},
    {"an empty time", "{" HEAD ",'type':'x.own','time':''}", "time", 0},
    {"data that is a list", X (",'data':[]"), "data", 0},
    {"data that is a text", X (",'data':'a'"), "data", 0},

    //  Data
    {"no data where it is needed", "{" IN "}", "data.plate", 0},
    {"a required member absent", "{" IN ",'data':{}}", "data.plate", 0},
    {"an empty plate", "{" IN ",'data':{'plate':''}}", "data.plate", 0},
    {"a number as a plate", "{" IN ",'data':{'plate':12345}}", "data.plate", 0},
    {"a plate of 65 bytes",
     "{" IN ",'data':{'plate':"
     "'12345678901234567890123456789012345678901234567890123456789012345'}}",
     "data.plate", 0},
    {"a word that is not in the list",
     "{" IN ",'data':{'plate':'1','plate_color':'pink'}}", "data.plate_color", 0},
    {"a word in capitals", "{" IN ",'data':{'plate':'1','energy':'Electric'}}",
     "data.energy", 0},
    {"spaces below 0", "{" IN ",'data':{'plate':'1','spaces_free':-1}}",
     "data.spaces_free", 0},
    {"spaces as a text", "{" IN ",'data':{'plate':'1','spaces_free':'1'}}",
     "data.spaces_free", 0},
    {"a text as a number", "{" IN ",'data':{'plate':'1','remark':1}}", "data.remark",
     0},
    {"money below 0",
     "{" HEAD ",'type':'out.recorded','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'plate':'1','total_due':-1}}", "data.total_due", 0},
    {"a wrong payment of three",
     "{" HEAD ",'type':'out.recorded','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'plate':'1','total_due':1,'payments':[{},{'paid':1},{'paid':'1'}]}}",
     "data.payments[2].paid", 0},
    {"a wrong tender of a payment",
     "{" HEAD ",'type':'out.recorded','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'plate':'1','total_due':1,'payments':[{'tender':'gold'}]}}",
     "data.payments[0].tender", 0},
    {"a payment that is no object",
     "{" HEAD ",'type':'out.recorded','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'plate':'1','total_due':1,'payments':[1]}}", "data.payments[0]", 0},
    {"payments that are no list",
     "{" HEAD ",'type':'out.recorded','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'plate':'1','total_due':1,'payments':{}}}", "data.payments", 0},
    {"a lane that is none in data",
     "{" HEAD ",'type':'out.recorded','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'plate':'1','total_due':1,'lane_in':'In'}}", "data.lane_in", 0},
    {"a time that is none in data",
     "{" HEAD ",'type':'out.recorded','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'plate':'1','total_due':1,'entered_at':'2026-11-21 08:00:00'}}",
     "data.entered_at", 0},
    {"true is true, not a text", GATE ("'reason':'entry','hold':'true'"), "data.hold",
     0},
    {"opened for money without the event", GATE ("'reason':'paid'"), "data.because", 0},
    {"opened by hand by nobody", GATE ("'reason':'manual','remark':'x'"),
     "data.operator", 0},
    {"opened by hand by nobody named",
     GATE ("'reason':'manual','operator':'','remark':'x'"), "data.operator", 0},
    {"opened by hand without why", GATE ("'reason':'manual','operator':'x'"),
     "data.remark", 0},
    {"a picture without path or URL",
     OF ("picture.captured", "'data':{'direction':'in'}"), "data.url", 0},
    {"a correction without its value",
     "{" HEAD ",'type':'out.corrected','subject':'V1'," TIME ",'lot':'north',"
     "'data':{'what':'total_due'}}", "data.total_due", 0},

    //  Who may say what
    {"a quote is parkbus's", OF ("fee.quoted","'data':{}"), "type", PB_E_DENIED},
    {"a binding is a plugin's", OF ("bind.added", "'data':{'plate':'1'}"), "type",
     PB_E_DENIED},
    {"alarms are parkbus's", OF ("alarm.raised","'data':{'name':'a','sentence':'b'}"),
     "type", PB_E_DENIED},
    {"money by a push is a plugin's",
     OF ("pay.captured", "'data':{'amount':5,'payment':'c','tender':'cmb',"
          "'witness':'push','operator':'0003'}"),
     "data.witness", PB_E_DENIED},
    {"cash by nobody", OF ("pay.captured", "'data':{" CASH "}"), "data.operator",
     PB_E_DENIED},
    {"cash by nobody named", OF ("pay.captured", "'data':{" CASH ",'operator':''}"),
     "data.operator", PB_E_DENIED},
    {"a refund without witness", OF ("refund.done", "'data':{'refund':'r1'}"),
     "data.witness", PB_E_DENIED},
    {"a refund without anything", OF ("refund.done", "'n':1"), "data.witness",
     PB_E_DENIED},
    {"another refund state", OF ("refund.failed","'data':{'refund':'r1'}"), "type",
     PB_E_DENIED},
    {"cash without an amount",
     OF ("pay.captured", "'data':{'payment':'c1','tender':'cash','witness':'person',"
          "'operator':'0003'}"),
     "data.amount", 0},
    {"parkbus's own name", "{'id':'e1','source':'parkbus','type':'x.own'}", "source",
     PB_E_DENIED},
    {"a plugin's name", "{'id':'e1','source':'cmb','type':'x.own'}", "source",
     PB_E_DENIED},
  // clang-format on
};

static char room[EVENT_ROOM];

static bool
s_read (event_t *event, const char *json, const event_rules_t *rules, pb_error_t *error)
{
    //  An exact copy, so that ASan sees a byte too many.
    size_t size = strlen (json);
    char *copy = xmalloc (size);
    memcpy (copy, json, size);
    bool good = event_read (event, copy, size, rules, room, error);
    free (copy);
    return good;
}

static void
s_accept (const char *what, const char *sent, const char *written,
          const event_rules_t *rules)
{
    char *json = s_quoted (sent), *wanted = s_quoted (written ? written : sent);
    event_t event;
    pb_error_t error = {0};
    bool good = s_read (&event, json, rules, &error);
    promise (good && event.size == strlen (wanted)
                 && memcmp (event.json, wanted, event.size) == 0,
             "%s%s%s", what, good ? "" : ": ", good ? "" : error.message);
    if (good && event.size != strlen (wanted))
        printf ("# %.*s\n# %s\n", (int) event.size, event.json, wanted);
    free (json);
    free (wanted);
}

static void
s_refuse_all (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (refused); i++) {
        char *json = s_quoted (refused[i].sent);
        event_t event;
        pb_error_t error = {0};
        pb_error_code_t code = refused[i].code ? refused[i].code : PB_E_BAD_EVENT;
        bool good = s_read (&event, json, &client, &error);
        promise (!good && error.code == code && streq (error.field, refused[i].field)
                     && *error.message
                     && utf8_valid (error.message, strlen (error.message)),
                 "%s is refused: [%s] %s %s", refused[i].promise, error.field,
                 pb_error_word (error.code), error.message);
        free (json);
    }
}

static void
s_spans (void)
{
    char *json = s_quoted ("{" IN ",'lane':'in-1','data':{'plate':'\\u4eacA','n':-12,"
                           "'t':'x','big':9007199254740991,'o':{'plate':'no'}}}");
    event_t event;
    pb_error_t error = {0};
    char text[EVENT_TOPIC_MAX];
    int64_t number = 0;
    promise (s_read (&event, json, &client, &error), "an event with all parts");
    promise (span_is (event.id, "e1") && span_is (event.source, "gate/in-1")
                 && span_is (event.type, "in.recorded") && span_is (event.subject, "V1")
                 && span_is (event.lot, "north") && span_is (event.lane, "in-1"),
             "its spans are without quotes");
    promise (event.time_ms == NOW + 123, "its time is counted");
    promise (event.is && streq (event.is->name, "in.recorded"), "its row is found");
    promise (event.data.p[0] == '{' && event.data.p[event.data.n - 1] == '}'
                 && event.data.p + event.data.n + 1 == event.json + event.size,
             "its data has braces and stands last");
    promise (event_topic (&event, text) == strlen ("in.recorded.north")
                 && streq (text, "in.recorded.north"),
             "its topic is %s", text);
    promise (span_is (event_data_raw (&event, "plate"), "\"\\u4eacA\""),
             "raw as it is");
    promise (event_data_text (&event, "plate", text, sizeof text)
                 && streq (text, "京A"),
             "text without escapes");
    promise (!event_data_text (&event, "plate", text, 4), "4 bytes and NUL need 5");
    promise (event_data_text (&event, "plate", text, 5), "and have them then");
    promise (!event_data_text (&event, "n", text, sizeof text) && !*text,
             "a number is no text");
    promise (event_data_int (&event, "n", &number) && number == -12, "an integer");
    promise (event_data_int (&event, "big", &number) && number == 9007199254740991,
             "a large one");
    promise (!event_data_int (&event, "t", &number), "a text is no integer");
    promise (!event_data_raw (&event, "absent").p, "absent is NULL");
    uint64_t key = event_key_hash (&event), visit = event_visit_hash (&event);
    free (json);

    json = s_quoted ("{'id':'e1','source':'gate/in-2','type':'x.own'}");
    promise (s_read (&event, json, &client, &error) && event_key_hash (&event) != key,
             "another source is another key");
    promise (visit != 0 && event_visit_hash (&event) == 0, "no visit has no hash");
    promise (!event.is && event_topic (&event, text) == 7 && streq (text, "x.own._"),
             "no lot is '_' in the topic");
    free (json);
}

static void
s_made (void)
{
    event_t event;
    pb_error_t error = {0};
    const char *json = "{\"source\":\"g\",\"type\":\"x.own\"}";
    promise (s_read (&event, json, &client, &error) && event.id.n == 36
                 && event.id.p[14] == '7',
             "a client's absent id is made");
    promise (event.time_ms == NOW, "an absent time is now");
    promise (!s_read (&event, json, &broker, &error) && streq (error.field, "id"),
             "the broker itself brings its ids");
    event_rules_t west = {true, NOW + 7, "-04:30", NULL, NULL, NULL};
    promise (s_read (&event, json, &west, &error)
                 && strstr (event.json, "\"time\":\"2026-11-20T19:30:00.007-04:30\""),
             "an absent time west of Greenwich");
    event_rules_t none = {true, NOW, NULL, NULL, NULL, NULL};
    promise (s_read (&event, json, &none, &error)
                 && strstr (event.json, "\"time\":\"2026-11-21T00:00:00+00:00\""),
             "and without an offset");
}

//  The hash is of what was sent.
static uint64_t
s_hash (const char *sent)
{
    char *json = s_quoted (sent);
    event_t event;
    pb_error_t error = {0};
    uint64_t hash = s_read (&event, json, &client, &error) ? event.content_hash : 0;
    free (json);
    return hash;
}

static const struct {
    const char *promise;
    const char *a, *b;
    bool same;
} contents[] = {
  // clang-format off
    {"order does not count", X (",'data':{'a':1,'b':2}"),
     "{'data':{'b':2,'a':1},'type':'x.own'," TIME "," HEAD "}", true},
    {"nor far down", X (",'data':{'a':[{'b':1,'c':2}]}"),
     X (",'data':{'a':[{'c':2,'b':1}]}"), true},
    {"nor white space", X (",'data':{'a':[1,2]}"),
     X (" , 'data' : { 'a' : [ 1 , 2 ] } "), true},
    {"nor escapes", X (",'data':{'a':'京/\\n'}"),
     X (",'data':{'\\u0061':'\\u4eac\\/\\u000A'}"), true},
    {"a car is a car", X (",'data':{'a':'🚗'}"), X (",'data':{'a':'\\ud83d\\ude97'}"),
     true},
    {"nor in the envelope", "{'id':'e1','source':'gate/in-1','type':'x.own'}",
     "{'id':'e\\u0031','source':'gate\\/in-1','type':'x.own'}", true},
    {"lists are ordered", X (",'data':{'a':[1,2]}"), X (",'data':{'a':[2,1]}"), false},
    {"a number is no text", X (",'data':{'a':1}"), X (",'data':{'a':'1'}"), false},
    {"true is no text", X (",'data':{'a':true}"), X (",'data':{'a':'true'}"), false},
    {"true is not false", X (",'data':{'a':true}"), X (",'data':{'a':false}"), false},
    {"an empty list is no empty object", X (",'data':{'a':[]}"), X (",'data':{'a':{}}"),
     false},
    {"an empty object counts", X (",'data':{'a':{}}"), X (",'data':{}"), false},
    {"a list in a list counts", X (",'data':{'a':[1]}"), X (",'data':{'a':[[1]]}"),
     false},
    {"values do not change places", X (",'data':{'a':1,'b':2}"),
     X (",'data':{'a':2,'b':1}"), false},
    {"names do not change levels", X (",'data':{'a':{'b':1}}"),
     X (",'data':{'b':{'a':1}}"), false},
    {"data is not the envelope", X (",'n':1,'data':{}"), X (",'data':{'n':1}"), false},
    {"time counts", "{" HEAD ",'type':'x.own','time':'2026-11-21T08:00:00Z'}",
     "{" HEAD ",'type':'x.own','time':'2026-11-21T08:00:01Z'}", false},
    {"its writing counts", "{" HEAD ",'type':'x.own','time':'2026-11-21T08:00:00Z'}",
     "{" HEAD ",'type':'x.own','time':'2026-11-21T08:00:00+00:00'}", false},
  // clang-format on
};

static void
s_contents (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (contents); i++) {
        uint64_t a = s_hash (contents[i].a), b = s_hash (contents[i].b);
        promise (a && b && (a == b) == contents[i].same, "content: %s",
                 contents[i].promise);
    }
    //  Where no id, time or version was sent, none is in the hash.
    promise (s_hash ("{'source':'g','type':'x.own'}")
                 == s_hash ("{'type':'x.own','source':'g'}"),
             "what is added does not count");
    promise (s_hash (X ("")) == UINT64_C (0x1a9ecef7dd189ce9),
             "journals hold this hash: 0x%016" PRIx64, s_hash (X ("")));
    //  Long texts are hashed in pieces, with escapes and without alike.
    for (size_t length = 250; length <= 520; length += length < 260 ? 1 : 254) {
        char plain[1200], escaped[4800];
        size_t p = (size_t) snprintf (plain, sizeof plain, "%s", X (",'data':{'a':'"));
        p -= 1;
        size_t e = p;
        memcpy (escaped, plain, p);
        for (size_t i = 0; i < length; i++) {
            plain[p++] = 'k';
            e += (size_t) snprintf (escaped + e, sizeof escaped - e, "%s",
                                    i % 3 ? "k" : "\\u006b");
        }
        snprintf (plain + p, sizeof plain - p, "'}}");
        snprintf (escaped + e, sizeof escaped - e, "'}}");
        promise (s_hash (plain) && s_hash (plain) == s_hash (escaped),
                 "%zu letters with and without escapes", length);
    }
}

//  64 KiB, and objects with thousands of members.
static void
s_limits (void)
{
    event_t event;
    pb_error_t error = {0};
    buffer_t json = {0};
    buffer_text (&json, "{\"source\":\"g\",\"type\":\"x.own\",\"data\":{\"a\":\"");
    while (json.size < EVENT_MAX - 3)
        buffer_text (&json, "k");
    buffer_text (&json, "\"}}");
    promise (json.size == EVENT_MAX && s_read (&event, json.data, &client, &error),
             "64 KiB are an event: %s", error.message);
    size_t size = event.size;
    char *again = xmalloc (size), *to = xmalloc (EVENT_ROOM);
    memcpy (again, event.json, size);
    promise (size > EVENT_MAX && size <= EVENT_ROOM
                 && event_read (&event, again, size, &broker, to, &error)
                 && event.size == size && memcmp (again, event.json, size) == 0,
             "what was completed can be read again: %s", error.message);
    promise (!event_read (&event, again, size, &client, to, &error),
             "though no client may send it");
    free (again);
    free (to);
    buffer_text (&json, " ");
    promise (!s_read (&event, json.data, &client, &error)
                 && error.code == PB_E_BAD_EVENT,
             "one byte more is none: %s", error.message);

    buffer_reset (&json);
    buffer_text (&json, "{\"source\":\"g\",\"type\":\"x.own\",\"data\":{\"last\":0");
    for (int i = 0; json.size < EVENT_MAX - 40; i++)
        buffer_printf (&json, ",\"%x\":1", i);
    size_t before = json.size;
    buffer_text (&json, "}}");
    promise (s_read (&event, json.data, &client, &error), "thousands of members: %s",
             error.message);
    json.size = before;
    buffer_text (&json, ",\"last\":0}}");
    promise (!s_read (&event, json.data, &client, &error)
                 && streq (error.field, "data"),
             "one of them twice is found: %s", error.message);
    json.size = before;
    buffer_text (&json, ",\"1a\":0}}");
    promise (!s_read (&event, json.data, &client, &error), "whichever it is");
    buffer_free (&json);
}

static const struct {
    const char *promise;
    const char *body;
    bool good;
} bodies[] = {
    {"an empty object",     "{}",                                              true },
    {"a quote",             "{'outcome':'found','due':1000,'discounts':[{}]}", true },
    {"white space",         " { 'a' : [ 1 , 2 ] }\n",                          true },
    {"a list is no object", "[]",                                              false},
    {"nothing is none",     "",                                                false},
    {"no fraction",         "{'a':1.5}",                                       false},
    {"no null",             "{'a':null}",                                      false},
    {"no member twice",     "{'a':1,'a':1}",                                   false},
    {"nothing behind",      "{}{}",                                            false},
};

static void
s_bodies (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (bodies); i++) {
        char *json = s_quoted (bodies[i].body);
        pb_error_t error = {0};
        bool good = json_check (json, strlen (json), &error);
        promise (good == bodies[i].good && (good || error.code == PB_E_BAD_REQUEST),
                 "body: %s", bodies[i].promise);
        free (json);
    }
    buffer_t json = {0};
    buffer_text (&json, "{\"a\":0");
    for (int i = 0; i < 100000; i++)
        buffer_printf (&json, ",\"%d\":1", i);
    buffer_text (&json, "}");
    promise (json_check (json.data, json.size, NULL), "body: 100,000 members");
    json.size--;
    buffer_text (&json, ",\"99999\":1}");
    promise (!json_check (json.data, json.size, NULL), "body: one of them twice");
    buffer_free (&json);
}

static void
s_sentences (void)
{
    event_t event;
    pb_error_t error = {0};
    s_read (&event, "{\"id\":\"1\",\"source\":\"g\",\"type\":\"in.recorde\"}", &client,
            &error);
    promise (strstr (error.message, "did you mean 'in.recorded'?"), "%s",
             error.message);
    s_read (&event, "{\"id\":\"1\",\"source\":\"g\",\"type\":\"arrival\"}", &client,
            &error);
    promise (!strstr (error.message, "did you mean")
                 && strstr (error.message, "x.<word>"),
             "%s", error.message);
    char *json = s_quoted ("{" IN ",'data':{'plate':'1','energy':'diesel'}}");
    s_read (&event, json, &client, &error);
    promise (strstr (error.message, "ordinary, hybrid, electric"), "%s", error.message);
    free (json);
}

int
main (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (accepted); i++)
        s_accept (accepted[i].promise, accepted[i].sent, accepted[i].written, &client);
    for (size_t i = 0; i < ARRAY_SIZE (own); i++)
        s_accept (own[i].promise, own[i].sent, NULL, &broker);
    s_refuse_all ();
    s_spans ();
    s_made ();
    s_contents ();
    s_limits ();
    s_bodies ();
    s_sentences ();
    return promises_kept ();
}
