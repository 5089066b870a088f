/* A plugin for qemu-aarch64 (API 1, QEMU 4.2 to 9): counts the guest's instructions by kind, and
 * notes the counts whenever the guest asks for its thread's CPU time, as `residentd model explain`
 * does around each run and each layer. Prints the notes as one line of JSON on stderr at exit.
 * Exact for a program that computes in one thread.
 *
 *   gcc -O2 -shared -fPIC -o count.so count.c
 *   qemu-aarch64 -plugin ./count.so -L /usr/aarch64-linux-gnu PROGRAM
 *
 * The few declarations of qemu-plugin.h that are needed stand here: Debian does not ship it. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t qemu_plugin_id_t;
enum { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*on_block)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*on_end)(qemu_plugin_id_t, void *);
typedef void (*on_call)(qemu_plugin_id_t, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t, uint64_t);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, on_block);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int, void *, uint64_t);
extern void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, on_call);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, on_end, void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

/* Encodings from the Arm Architecture Reference Manual, C4.1; vectors and by element, any Q. */
enum { ALL, MATRIX, DOT, WIDENING, FUSED, MEMORY, OTHER, KINDS };
static const char *const NAMES[OTHER] = {"all", "matrix", "dot", "widening", "fused", "memory"};
static const struct { uint32_t mask, value; int kind; } ENCODINGS[] = {
    {0xdfe0fc00, 0x4e80a400, MATRIX},   /* SMMLA, UMMLA */
    {0xffe0fc00, 0x4e80ac00, MATRIX},   /* USMMLA */
    {0x9fe0fc00, 0x0e809400, DOT},      /* SDOT, UDOT */
    {0xbfe0fc00, 0x0e809c00, DOT},      /* USDOT */
    {0x9fc0f400, 0x0f80e000, DOT},      /* SDOT, UDOT by element */
    {0xbf40f400, 0x0f00f000, DOT},      /* SUDOT, USDOT by element */
    {0x9f20fc00, 0x0e208000, WIDENING}, /* SMLAL, UMLAL */
    {0x9f20fc00, 0x0e20c000, WIDENING}, /* SMULL, UMULL */
    {0x9f00f400, 0x0f002000, WIDENING}, /* SMLAL, UMLAL by element */
    {0x9f00f400, 0x0f00a000, WIDENING}, /* SMULL, UMULL by element */
    {0xbfa0fc00, 0x0e20cc00, FUSED},    /* FMLA */
    {0xbfe0fc00, 0x0e400c00, FUSED},    /* FMLA, half precision */
    {0xbf80f400, 0x0f801000, FUSED},    /* FMLA by element */
    {0xbfc0f400, 0x0f001000, FUSED},    /* FMLA by element, half precision */
    {0x0a000000, 0x08000000, MEMORY},   /* loads and stores */
};
/* Of aarch64's system calls, and of its clocks. */
enum { CLOCK_GETTIME = 113, THREAD_CPU_TIME = 3 };
/* Two for each layer of each of a few runs. */
enum { MOST_NOTES = 100000 };

static uint64_t count[KINDS], notes[MOST_NOTES][OTHER];
static size_t noted;

static int kind_of(uint32_t word) {
    for (size_t i = 0; i < sizeof ENCODINGS / sizeof *ENCODINGS; i++)
        if ((word & ENCODINGS[i].mask) == ENCODINGS[i].value) return ENCODINGS[i].kind;
    return OTHER;
}

static void block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    size_t n = qemu_plugin_tb_n_insns(tb);
    uint64_t of_kind[KINDS] = {[ALL] = n};
    for (size_t i = 0; i < n; i++) {
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), sizeof word);
        of_kind[kind_of(word)]++;
    }
    for (int kind = 0; kind < OTHER; kind++)
        if (of_kind[kind])
            qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &count[kind], of_kind[kind]);
}

static void call(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t first, uint64_t b, uint64_t c, uint64_t d,
                 uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
    (void)id, (void)cpu, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number == CLOCK_GETTIME && first == THREAD_CPU_TIME && noted < MOST_NOTES)
        memcpy(notes[noted++], count, sizeof *notes);
}

static void print(qemu_plugin_id_t id, void *unused) {
    (void)id, (void)unused;
    fprintf(stderr, "[");
    for (size_t note = 0; note < noted; note++)
        for (int kind = 0; kind < OTHER; kind++)
            fprintf(stderr, "%s\"%s\": %" PRIu64, kind ? ", " : note ? "}, {" : "{", NAMES[kind], notes[note][kind]);
    fprintf(stderr, noted ? "}]\n" : "]\n");
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const void *host, int argc, char **argv) {
    (void)host, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, block);
    qemu_plugin_register_vcpu_syscall_cb(id, call);
    qemu_plugin_register_atexit_cb(id, print, NULL);
    return 0;
}
