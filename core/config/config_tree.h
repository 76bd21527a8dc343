//  config/config_tree.h - strict YAML as a tree that knows where everything stood.

#ifndef PARKBUS_CONFIG_CONFIG_TREE_H
#define PARKBUS_CONFIG_CONFIG_TREE_H

#include "config/config.h"

#define CONFIG_FILE_MAX (1u << 20) //  Bytes of one file
#define CONFIG_DEPTH_MAX 8         //  Maps and lists inside each other
#define CONFIG_MEMBERS_MAX 1000    //  Of one map or list

typedef struct config_node {
    config_shape_t shape;
    char *text; //  OPTION_SCALAR, as written; what it means is the schema's business
    char *key;  //  Of a map's member; NULL elsewhere
    config_mark_t mark, mark_key;
    struct config_node *first, *last, *next; //  Members, in the file's order
    size_t count;
} config_node_t;

//  One document, always a map (an empty file is an empty map). NULL with *error, whose
//  message begins with file:line:column. Marks point to `file`: it has to outlive them.
config_node_t *config_tree_parse (const char *file, const char *text, size_t size,
                                  pb_error_t *error);
void config_tree_destroy (config_node_t **self_p);

const config_node_t *config_tree_member (const config_node_t *self, const char *key);

#endif
