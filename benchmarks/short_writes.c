/* A library to preload: every write to a regular file takes half of the bytes that it is given, as
   POSIX allows a write to do on a disk that is nearly full or after a signal. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static size_t half(int file, size_t count) {
    struct stat found;
    if (count > 1 && fstat(file, &found) == 0 && S_ISREG(found.st_mode))
        return count / 2;
    return count;
}

ssize_t write(int file, const void *bytes, size_t count) {
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return next(file, bytes, half(file, count));
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t place) {
    ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
    return next(file, bytes, half(file, count), place);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t place) {
    ssize_t (*next)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return next(file, bytes, half(file, count), place);
}
