/* Lets a program on an Intel processor take the kernels that it takes on one of AMD.
 *
 * The matrix products of torch's x86 wheels are MKL's, which asks the processor for its maker
 * before it chooses how to compute; so Intel and AMD differ in the last bits. This library answers
 * CPUID for the program (Linux lets the instruction fault where /proc/cpuinfo shows cpuid_fault)
 * with the maker AMD, the caches of a Zen 3 and one thread a core. All else is what the processor
 * says. It handles SIGSEGV, so leave Python's faulthandler off.
 *
 *   gcc -O2 -shared -fPIC -o amd_on_intel.so amd_on_intel.c
 *   env LD_PRELOAD=$PWD/amd_on_intel.so ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 \
 *       lrfer-bench doctor    # arithmetic: d04b635e4e91 with the versions of results/reference
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_CPUID 0x1012 /* of arch_prctl(2): 0 lets CPUID fault, 1 lets it run */

struct answer {
    uint32_t eax, ebx, ecx, edx;
};

static void cpuid_runs(int yes) {
    if (syscall(SYS_arch_prctl, ARCH_CPUID, yes)) {
        fputs("amd_on_intel: this processor or kernel has no cpuid_fault\n", stderr);
        _exit(2);
    }
}

static struct answer of_intel(uint32_t leaf, uint32_t part) {
    struct answer a;
    cpuid_runs(1);
    __cpuid_count(leaf, part, a.eax, a.ebx, a.ecx, a.edx);
    cpuid_runs(0);
    return a;
}

/* One cache in AMD's words: level and type, ways and line of 64 bytes, sets; not shared. */
static struct answer cache(uint32_t kind, uint32_t ways, uint32_t sets) {
    return (struct answer){0x100 | kind, (ways - 1) << 22 | 63, sets - 1, 0};
}

static struct answer of_amd(uint32_t leaf, uint32_t part) {
    struct answer a = of_intel(leaf, part);
    switch (leaf) {
    case 0:
    case 0x80000000: /* "AuthenticAMD" */
        a = (struct answer){leaf ? 0x8000001f : a.eax, 0x68747541, 0x444d4163, 0x69746e65};
        break;
    case 0x8000001d: /* 32 kB of data, 32 kB of code, 512 kB, 32 MB */
        a = part == 0   ? cache(0x21, 8, 64)
            : part == 1 ? cache(0x22, 8, 64)
            : part == 2 ? cache(0x43, 8, 1024)
            : part == 3 ? cache(0x63, 16, 32768)
                        : (struct answer){0, 0, 0, 0};
        break;
    case 0x8000001e: /* one thread a core */
        a = (struct answer){0, 0, 0, 0};
        break;
    }
    return a;
}

static void on_fault(int signal_number, siginfo_t *info, void *context) {
    (void)info;
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *at = (const uint8_t *)r[REG_RIP];
    if (at[0] != 0x0f || at[1] != 0xa2) { /* not CPUID: a fault like any other */
        signal(signal_number, SIG_DFL);
        return;
    }
    struct answer a = of_amd((uint32_t)r[REG_RAX], (uint32_t)r[REG_RCX]);
    r[REG_RAX] = a.eax, r[REG_RBX] = a.ebx, r[REG_RCX] = a.ecx, r[REG_RDX] = a.edx;
    r[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    cpuid_runs(0);
}
