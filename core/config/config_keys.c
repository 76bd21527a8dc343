//  config_keys.c - every key there is: type, default, range, unit, help.

#include "config/config_read.h"

#include "base/log.h"

#define UNUSED N_ ("is set, but this version does not use it yet")

#define AT(member) offsetof (config_t, member)
#define AT_LOT(member) offsetof (config_lot_t, member)
#define AT_INSTANCE(member) offsetof (config_instance_t, member)

//  Rows stand in the order in which people read them: docs/configuration.md keeps it.
//  clang-format 14 cannot lay out such rows.
// clang-format off

static const config_row_t s_lot[] = {
    {.name = "zone", .type = &type_zone, .at = AT_LOT (zone), .preset = "Asia/Shanghai",
     .en = "Time zone of the lot: its local times, its days.",
     .zh = "车场所在时区，用于本地时间与日切。"},
    {.name = "spaces", .type = &type_number, .at = AT_LOT (spaces), .preset = "0",
     .max = 1000000, .unit = "spaces",
     .en = "How many parking spaces there are; 0 is unknown.",
     .zh = "车位总数；0 表示未知。"},
    {.name = "lanes", .type = &type_names, .at = AT_LOT (lanes),
     .count_at = AT_LOT (lanes_count), .preset_words = "none",
     .en = "Names of the entry and exit lanes.", .zh = "出入口车道的名称。"},
    {.name = "leave_within", .type = &type_number, .at = AT_LOT (leave_within_s),
     .preset = "900", .max = 86400, .unit = "s",
     .en = "How long a car may take to leave after it has paid.",
     .zh = "缴费后允许离场的时间。"},
    {.name = "lane_deadline", .type = &type_number, .at = AT_LOT (lane_deadline_s),
     .preset = "8", .min = 1, .max = 60, .unit = "s", .later = UNUSED,
     .en = "How long a charge may take while the car waits at the barrier.",
     .zh = "车辆在道闸前等待时，一次扣费允许的时间。"},
    {.name = "charge_order", .type = &type_names, .at = AT_LOT (charge_order),
     .count_at = AT_LOT (charge_order_count), .preset_words = "none", .later = UNUSED,
     .en = "Plugin instances that are asked to charge, first one first.",
     .zh = "无感扣费时依次尝试的插件实例。"},
    {.name = "auto_refund", .type = &type_flag, .at = AT_LOT (auto_refund),
     .preset = "false", .later = UNUSED,
     .en = "Give back by itself what was paid twice.", .zh = "多收的款项是否自动退还。"},
    {.name = "pictures", .type = &type_path, .at = AT_LOT (pictures),
     .preset_words = "none", .later = UNUSED,
     .en = "Directory of the lot's pictures; `picture.captured` names files below it.",
     .zh = "车场图片目录；`picture.captured` 中的路径相对于此目录。"},
};
const config_section_t config_lot_keys = {"lot", s_lot, ARRAY_SIZE (s_lot)};

static const config_row_t s_curve[] = {
    {.name = "secret", .type = &type_secret, .at = AT (curve_secret),
     .preset_words = "none", .later = UNUSED,
     .en = "The node's own secret key.", .zh = "本节点的 CURVE 私钥。"},
    {.name = "clients", .type = &type_path, .at = AT (curve_clients),
     .preset_words = "none", .later = UNUSED,
     .en = "Directory of the public keys that may connect.",
     .zh = "允许连接的客户端公钥所在目录。"},
};
const config_section_t config_curve = {"curve", s_curve, ARRAY_SIZE (s_curve)};

static const config_row_t s_bus[] = {
    {.name = "events", .type = &type_endpoint, .at = AT (events),
     .mark_at = AT (mark_events), .preset = "tcp://127.0.0.1:5570",
     .en = "Where events are published (connect a SUB). This machine only.",
     .zh = "发布事件的端点（用 SUB 连接）。仅限本机访问。"},
    {.name = "commands", .type = &type_endpoint, .at = AT (commands),
     .mark_at = AT (mark_commands), .preset = "tcp://127.0.0.1:5571",
     .en = "Where commands are taken (connect a DEALER). This machine only.",
     .zh = "接收命令的端点（用 DEALER 连接）。仅限本机访问。"},
    {.name = "curve", .type = &type_section, .section = &config_curve,
     .refused = N_ ("curve is not available in this version, and the bus would be open "
                    "without it: remove bus.curve and keep both endpoints on "
                    "127.0.0.1 or ipc://"),
     .en = "Encryption of the bus. Refused by this version, which does not have it.",
     .zh = "总线加密。当前版本尚不支持，写了会被拒绝。"},
    {.name = "live_mb", .type = &type_number, .at = AT (live_mb), .preset = "128",
     .min = 1, .max = 4096, .unit = "MiB", .later = UNUSED,
     .en = "Memory for live subscribers that read slowly.",
     .zh = "为读取较慢的实时订阅者预留的内存。"},
};
const config_section_t config_bus = {"bus", s_bus, ARRAY_SIZE (s_bus)};

static const config_row_t s_http[] = {
    {.name = "listen", .type = &type_listen, .at = AT (http_listen),
     .mark_at = AT (mark_http), .preset = "127.0.0.1:8080",
     .en = "Where platforms' pushes arrive. Put a proxy with TLS before it.",
     .zh = "接收平台推送的地址。应在其前面放置带 TLS 的反向代理。"},
    {.name = "proxies", .type = &type_addresses, .at = AT (proxies),
     .preset_words = "none",
     .en = "Addresses whose `X-Forwarded-For` is believed.",
     .zh = "其 `X-Forwarded-For` 可信的代理地址。"},
};
const config_section_t config_http = {"http", s_http, ARRAY_SIZE (s_http)};

static const config_row_t s_admin[] = {
    {.name = "listen", .type = &type_listen, .at = AT (admin_listen),
     .mark_at = AT (mark_admin), .preset = "127.0.0.1:8090", .later = UNUSED,
     .en = "Where people and programs look in by HTTP. Beyond this machine only with a "
           "token.",
     .zh = "供人和程序通过 HTTP 查看与操作的地址。非本机地址必须配置 token。"},
    {.name = "token", .type = &type_secret, .at = AT (admin_token),
     .preset_words = "none", .later = UNUSED,
     .en = "The secret that callers have to show.", .zh = "调用者须出示的密钥。"},
};
const config_section_t config_admin = {"admin", s_admin, ARRAY_SIZE (s_admin)};

static const config_row_t s_journal[] = {
    {.name = "segment_mb", .type = &type_number, .at = AT (segment_mb), .preset = "64",
     .min = 1, .max = 1024, .unit = "MiB",
     .en = "Size of one file of the journal.", .zh = "日志单个分段文件的大小。"},
    {.name = "retain_days", .type = &type_number, .at = AT (retain_days),
     .preset = "30", .min = 1, .max = 36500, .unit = "days", .later = UNUSED,
     .en = "How long events are kept.", .zh = "事件保留的天数。"},
    {.name = "max_gb", .type = &type_number, .at = AT (max_gb), .preset = "20",
     .min = 1, .max = 1000000, .unit = "GiB", .later = UNUSED,
     .en = "The journal is kept below this size.", .zh = "日志占用磁盘的上限。"},
    {.name = "dedupe_events", .type = &type_number, .at = AT (dedupe_events),
     .preset = "2000000", .min = 1, .max = 100000000, .unit = "events",
     .en = "An event that comes again is recognised within the last so many.",
     .zh = "在最近多少条事件之内识别重复事件。"},
};
const config_section_t config_journal = {"journal", s_journal, ARRAY_SIZE (s_journal)};

static const config_row_t s_money[] = {
    {.name = "lease_s", .type = &type_number, .at = AT (lease_s), .preset = "120",
     .min = 1, .max = 3600, .unit = "s", .later = UNUSED,
     .en = "How long one charge keeps others of the same visit away.",
     .zh = "一次扣费占用同一停车记录的时间，期间不发起其他扣费。"},
};
const config_section_t config_money = {"money", s_money, ARRAY_SIZE (s_money)};

//  The words' places are the values of log_level_t and log_format_t.
_Static_assert (LOG_ERROR_ == 0 && LOG_WARNING_ == 1 && LOG_INFO_ == 2
                    && LOG_DEBUG_ == 3 && LOG_TEXT == 0 && LOG_JSON == 1
                    && LOG_JOURNALD == 2,
                "the words of log: follow base/log.h");
static const config_row_t s_log[] = {
    {.name = "level", .type = &type_choice, .at = AT (log_level), .preset = "info",
     .words = "error|warning|info|debug",
     .en = "How much is said on stderr.", .zh = "标准错误输出的详细程度。"},
    {.name = "format", .type = &type_choice, .at = AT (log_format), .preset = "text",
     .words = "text|json|journald",
     .en = "How it is written.", .zh = "输出格式。"},
};
const config_section_t config_log = {"log", s_log, ARRAY_SIZE (s_log)};

static const config_row_t s_main[] = {
    {.name = "node", .type = &type_name, .at = AT (node),
     .preset_words = "the host's name",
     .en = "Name of this installation.", .zh = "本套系统的名称。"},
    {.name = "data_dir", .type = &type_path, .at = AT (data_dir), .preset = STATE_DIR,
     .preset_words = "the installation's, `/var/lib/parkbus`",
     .en = "Directory of the journal and of all else that is kept.",
     .zh = "日志及其他持久数据的目录。"},
    {.name = "plugin_dir", .type = &type_path, .at = AT (plugin_dir),
     .preset = PLUGIN_DIR, .preset_words = "the installation's, "
                                           "`/usr/lib/parkbus/plugins`",
     .en = "Directory of the plugins (`cmb.so`).", .zh = "插件（`cmb.so` 等）所在目录。"},
    {.name = "plugins_d", .type = &type_path, .at = AT (plugins_d),
     .preset = "plugins.d",
     .en = "Directory of the plugins' files: each `NAME.yaml` is one instance.",
     .zh = "插件配置目录：每个 `名称.yaml` 为一个插件实例。"},
    {.name = "lots_d", .type = &type_path, .at = AT (lots_d), .preset = "lots.d",
     .en = "Directory of further lots, on a hub: each `NAME.yaml` is one.",
     .zh = "多车场汇聚节点的车场配置目录：每个 `名称.yaml` 为一个车场。"},
    {.name = "lots", .type = &type_lots, .section = &config_lot_keys,
     .preset_words = "**required**, here or in `lots_d`",
     .en = "The car parks.", .zh = "车场。"},
    {.name = "bus", .type = &type_section, .section = &config_bus,
     .en = "The sockets of the bus.", .zh = "总线套接字。"},
    {.name = "http", .type = &type_section, .section = &config_http,
     .en = "HTTP for platforms.", .zh = "面向平台的 HTTP。"},
    {.name = "admin", .type = &type_section, .section = &config_admin,
     .en = "HTTP for people and programs.", .zh = "面向人和程序的 HTTP。"},
    {.name = "journal", .type = &type_section, .section = &config_journal,
     .en = "What is kept on disk.", .zh = "磁盘上的事件日志。"},
    {.name = "money", .type = &type_section, .section = &config_money,
     .en = "Charging.", .zh = "扣费。"},
    {.name = "log", .type = &type_section, .section = &config_log,
     .en = "Sentences for people, on stderr.", .zh = "写到标准错误的运行信息。"},
};
const config_section_t config_main = {"main", s_main, ARRAY_SIZE (s_main)};

static const config_row_t s_instance[] = {
    {.name = "module", .type = &type_module, .required = true,
     .at = AT_INSTANCE (module), .mark_at = AT_INSTANCE (mark_module),
     .en = "Which plugin: `cmb` is `cmb.so` in `plugin_dir`.",
     .zh = "使用哪个插件：`cmb` 即 `plugin_dir` 中的 `cmb.so`。"},
    {.name = "enabled", .type = &type_flag, .at = AT_INSTANCE (enabled),
     .preset = "true",
     .en = "`false`: read and checked, but not loaded.",
     .zh = "`false`：只读取和检查，不加载。"},
    {.name = "host", .type = &type_flag, .at = AT_INSTANCE (process),
     .preset = "inline", .words = "inline|process",
     .later = N_ ("is process, but this version runs every plugin inside the daemon "
                  "(inline)"),
     .later_if = "process",
     .en = "Inside the daemon, or in a process of its own. `process` runs inside the "
           "daemon in this version.",
     .zh = "在守护进程内运行，或在独立进程中运行。当前版本中 `process` 也在守护进程内运行。"},
    {.name = "mount", .type = &type_mount, .at = AT_INSTANCE (mount),
     .mark_at = AT_INSTANCE (mark_mount),
     .preset_words = "`/NAME/`, NAME from the file",
     .en = "Pushes arrive at `http.listen` + `mount` + the platform's path. Begins and "
           "ends with `/`.",
     .zh = "平台推送到 `http.listen` + `mount` + 平台路径。以 `/` 开头并以 `/` 结尾。"},
    {.name = "url", .type = &type_url, .at = AT_INSTANCE (url),
     .mark_at = AT_INSTANCE (mark_url), .preset_words = "none; platforms need it",
     .en = "The platform's address; the plugin adds the path. `https://`, or `http://` "
           "to this machine.",
     .zh = "平台地址，路径由插件补上。须为 `https://`；`http://` 仅限本机。"},
    {.name = "insecure", .type = &type_flag, .at = AT_INSTANCE (insecure),
     .preset = "false",
     .en = "Allow `http://` to other machines: anyone between may read and change it.",
     .zh = "允许以 `http://` 访问其他机器：途中任何人都可读取和篡改。"},
    {.name = "keys", .type = &type_keys,
     .preset_words = "the plugin's table says which",
     .en = "Secrets by name: `file:PATH`, `env:VARIABLE`, `cred:NAME` (systemd), "
           "`plain:TEXT` (warned about). A list of two during a rotation: the first "
           "signs, both verify.",
     .zh = "密钥：`file:路径`、`env:环境变量`、`cred:名称`（systemd）、`plain:明文`"
           "（会告警）。更换密钥期间可写两个：第一个用于签名，两个都用于验签。"},
    {.name = "options", .type = &type_options,
     .preset_words = "the plugin's table says which",
     .en = "The plugin's own.", .zh = "插件自己的选项。"},
    {.name = "lots", .type = &type_instance_lots, .preset_words = "none",
     .en = "The lots that this instance serves, each with the plugin's options for it.",
     .zh = "此实例服务的车场，以及插件针对各车场的选项。"},
};
// clang-format on
const config_section_t config_instance = {"plugin", s_instance,
                                          ARRAY_SIZE (s_instance)};

const config_section_t *const config_sections[] = {
    &config_main,  &config_lot_keys, &config_bus,   &config_curve, &config_http,
    &config_admin, &config_journal,  &config_money, &config_log,   &config_instance,
    NULL,
};
