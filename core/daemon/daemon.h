//  daemon/daemon.h - all rooms wired together.

#ifndef PARKBUS_DAEMON_DAEMON_H
#define PARKBUS_DAEMON_DAEMON_H

//  Run until SIGTERM or SIGINT. Exit code of the program.
int daemon_run (const char *config_file);
//  Look at everything that can be looked at without running. Exit code.
int daemon_check (const char *config_file);

#endif
