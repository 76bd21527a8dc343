//  config/i18n.h - which language people are spoken to in.

#ifndef PARKBUS_CONFIG_I18N_H
#define PARKBUS_CONFIG_I18N_H

//  First thing in main: the environment's language, catalogues from the installation or
//  from $PARKBUS_LOCALEDIR. Numbers stay "1.5" in every language.
void i18n_setup (void);

#endif
