//  commands.h - every command of `parkbus`; each is one file's row.

#ifndef PARKBUS_TOOLS_COMMANDS_H
#define PARKBUS_TOOLS_COMMANDS_H

#include "cli.h"

extern const command_t command_pub;
extern const command_t command_sub;
extern const command_t command_fetch;
extern const command_t command_call;
extern const command_t command_serve;
extern const command_t command_plugin_list;
extern const command_t command_plugin_show;
extern const command_t command_config_check;
extern const command_t command_journal_info;
extern const command_t command_journal_verify;
extern const command_t command_sign;
extern const command_t command_verify;

#endif
