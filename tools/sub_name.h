//  sub_name.h - `parkbus sub --name`: a durable subscription, acknowledged line by line.

#ifndef PARKBUS_TOOLS_SUB_NAME_H
#define PARKBUS_TOOLS_SUB_NAME_H

#include "cli.h"

//  Print what the name has not acknowledged yet, then what comes, until --count or Ctrl-C.
//  `from` counts for a new name only; 0: what comes from now on. Exit code.
int sub_named (cli_t *cli, uint64_t from);

//  End the name; its place is forgotten. Exit code.
int sub_forget (cli_t *cli);

#endif
