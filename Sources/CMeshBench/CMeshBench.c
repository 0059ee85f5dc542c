#define _GNU_SOURCE
#include "CMeshBench.h"

#include <sched.h>
#include <sys/prctl.h>

int cmesh_bench_cores(int *cores, int capacity) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return -1;
    int count = 0;
    for (int core = 0; core < CPU_SETSIZE && count < capacity; core++)
        if (CPU_ISSET(core, &set)) cores[count++] = core;
    return count;
}

int cmesh_bench_pin(pid_t thread, int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return sched_setaffinity(thread, sizeof(set), &set);
}

int cmesh_bench_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
