//  pages.c - memory that costs nothing until it is touched.

#include "journal/pages.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE \
    ((size_t) 4096) //  A larger one only makes madvise refuse: then we overwrite

void *
pages_new (size_t size)
{
    void *pages = mmap (NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages != MAP_FAILED)
        return pages;
    perror ("mmap");
    abort ();
}

void
pages_free (void *pages, size_t size)
{
    if (pages)
        munmap (pages, size);
}

void
pages_empty (void *pages, size_t from, size_t to)
{
    char *bytes = pages;
    size_t first = (from + PAGE - 1) / PAGE * PAGE, last = to / PAGE * PAGE;
    if (first >= last || madvise (bytes + first, last - first, MADV_DONTNEED) != 0) {
        memset (bytes + from, 0, to - from);
        return;
    }
    memset (bytes + from, 0, first - from);
    memset (bytes + last, 0, to - last);
}
