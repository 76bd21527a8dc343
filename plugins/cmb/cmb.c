//  cmb.c - the CMB plugin: what it declares, and its instances.

#include <stdlib.h>
#include "cmb.h"
#include "cmb_tables.h"

#define FORM "application/x-www-form-urlencoded"

const char cmb_key[] = "appsecret";

// clang-format off
static const pb_option_t options[] = {
    {
        .struct_size = sizeof (pb_option_t),
        .name = "appsecret",
        .type = PB_OPTION_KEY,
        .flags = PB_OPTION_REQUIRED,
        .help_en = "the partner's secret, issued by CMB with the appid",
        .help_zh = "招行停车平台分配给渠道商的应用密钥",
    },
    {
        .struct_size = sizeof (pb_option_t),
        .name = "appid",
        .type = PB_OPTION_TEXT,
        .flags = PB_OPTION_REQUIRED,
        .min = 1,
        .max = 64,
        .help_en = "the partner's id at CMB; pushes for another one are refused",
        .help_zh = "招行停车平台分配给渠道商的应用 id；其他 appid 的下发会被拒绝",
    },
    {
        .struct_size = sizeof (pb_option_t),
        .name = "park_code",
        .type = PB_OPTION_DIGITS,
        .scope = PB_SCOPE_LOT,
        .min = 1,
        .max = 20,
        .help_en = "CMB's number of the lot; without it nothing of the lot is sent",
        .help_zh = "招行停车平台的车场编号；没有它，该车场的数据不会上报",
    },
    {
        .struct_size = sizeof (pb_option_t),
        .name = "guaranteed",
        .type = PB_OPTION_BOOL,
        .scope = PB_SCOPE_LOT,
        .preset = "false",
        .help_en = "CMB carries the risk of autopay at this lot (保付)",
        .help_zh = "该车场的无感支付为保付模式",
    },
    {
        .struct_size = sizeof (pb_option_t),
        .name = "lanes",
        .type = PB_OPTION_LANES,
        .scope = PB_SCOPE_LOT,
        .flags = PB_OPTION_NUMBER,
        .min = 0,
        .max = 255,
        .help_en =
            "our lane: CMB's in_code or out_code; an entry and an exit lane of one "
            "passage may share a number",
        .help_zh =
            "本系统车道: 招行的出入口编号 (in_code, out_code)；双向通道的出入口可共用一个编号",
    },
};
// clang-format on

//  In the order of cmb_endpoints[]. 3.5 s for a fee: CMB's own patience is not
//  documented.
// clang-format off
static const pb_route_t routes[CMB_ROUTES] = {
    [CMB_CALC] = {sizeof (pb_route_t), "POST", "cmbParking/calc", FORM, 0, 3500, 0},
    [CMB_PAY] = {sizeof (pb_route_t), "POST", "cmbParking/pay", FORM, 0, 0,
                 PB_ROUTE_EFFECT},
    [CMB_BIND] = {sizeof (pb_route_t), "POST", "cmbParking/autoPayBind", FORM, 0, 0, 0},
    [CMB_UNBIND] = {sizeof (pb_route_t), "POST", "cmbParking/autoPayUnbind", FORM, 0, 0,
                    0},
};
// clang-format on

static const char *const takes[] = {"in.recorded", "out.recorded", "space.changed",
                                    NULL};
static const char *const serves[] = {NULL};

//  Whether a repeated AutoPay with one request_order is one charge is not documented:
//  not assumed. PayOrderStatus says the same for "failed" and "no such order". There is
//  no refund interface, and no schedule of repeated pushes.
static const pb_policy_t policy = {
    .struct_size = sizeof (pb_policy_t),
    .role = PB_ROLE_OPERATOR,
    .charge_idempotent = 0,
    .absent_proves = 0,
    .refunds = 0,
    .quiet_s = 120,
    .answer_ms = 3500,
    .query_horizon_s = 7 * 86400,
    .query_schedule = "1,2,4,8,15,30,60,300,900,3600,21600",
};

const char *
cmb_unsound (void)
{
    const char *wire = pb_fields_check (cmb_common);
    for (const cmb_endpoint_t *row = cmb_endpoints; row->name && !wire; row++) {
        wire = pb_fields_check (row->request);
        if (!wire && row->answer)
            wire = pb_fields_check (row->answer);
    }
    return wire;
}

static int
s_create (const pb_host_t *host, pb_call_t *call, void **instance)
{
    pb_env_t env = {host, call};
    const char *wire = cmb_unsound ();
    if (wire)
        return pb_fail (
            &env, PB_BUG, NULL,
            _ ("the table row %s of the plugin cmb is not sound: report it"), wire);
    cmb_t *self = calloc (1, sizeof *self);
    if (!self)
        return PB_NOMEM;
    self->host = host;
    *instance = self;
    return PB_OK;
}

static void
s_destroy (void *instance)
{
    free (instance);
}

PB_EXPORT const pb_plugin_t pb_plugin_v1 = {
    .magic = PB_PLUGIN_MAGIC,
    .struct_size = sizeof (pb_plugin_t),
    .abi_major = PB_ABI_MAJOR,
    .abi_minor = PB_ABI_MINOR,
    .kind = PB_CODEC,
    .name = "cmb",
    .version = "0.1.0",
    .source = "招商银行开放平台接口说明书（停车） 1.8.2, 2019-03-07",
    .options = options,
    .options_count = PB_COUNT (options),
    .routes = routes,
    .routes_count = CMB_ROUTES,
    .takes = takes,
    .serves = serves,
    .policy = &policy,
    .create = s_create,
    .destroy = s_destroy,
    .encode = cmb_encode,
    .decode = cmb_decode,
    .receive = cmb_receive,
    .answer = cmb_answer,
};
