/* Loads a plug-in as its host does and looks for its entry point: probe EXECUTABLE. Exit 0 when both work. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: probe EXECUTABLE\n");
        return 2;
    }
    void *handle = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        fprintf(stderr, "dlopen: %s\n", dlerror());
        return 1;
    }
    if (dlsym(handle, "AuthorizationPluginCreate") == NULL) {
        fprintf(stderr, "dlsym: %s\n", dlerror());
        return 1;
    }
    printf("AuthorizationPluginCreate is there\n");
    return 0;
}
