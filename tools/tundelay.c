/* tundelay: a long link between two network namespaces, on one machine.
 *
 *     tundelay NAMESPACE_A NAMESPACE_B ONE_WAY_MS [MBIT [LOSS_PERCENT [SEED]]]
 *
 * What a registry on another continent costs is round trips and bandwidth, and a benchmark needs the same ones every
 * time. The kernel's own tool for that, `tc netem`, is missing from many kernels (those of small virtual machines, for
 * one), so this does the same in user space: it makes a tun device in each namespace, 10.77.0.1 in A and 10.77.0.2 in
 * B, and carries packets between them, each ONE_WAY_MS later than it came, at no more than MBIT in each direction.
 *
 * A packet that would wait longer than QUEUE for its turn is dropped, as a router's full buffer does it; TCP needs that
 * to find its rate. LOSS_PERCENT more are dropped at random, the same ones for the same SEED and the same packets.
 *
 * It prints `up` on standard error when both devices are there, and serves until SIGTERM. It needs CAP_SYS_ADMIN and
 * /dev/net/tun, and keeps at most SLOTS packets in flight in each direction. Build: cc -O2 -o tundelay tundelay.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long long nanoseconds;

#define SECOND 1000000000ull
#define MILLISECOND 1000000ull
#define SLOTS 65536u               /* packets; 150 ms of 400 Mbit/s in full packets are 5,000 */
#define QUEUE (100 * MILLISECOND)  /* the longest wait for a turn: what a router's buffer holds */
#define LARGEST_PACKET 65536
#define BURST 256                  /* packets read from one end before the other gets its turn */

struct packet {
    nanoseconds due;
    int length;
    unsigned char *bytes;
};

/* One direction of the link; `head` and `tail` count packets from the start. */
struct direction {
    struct packet slots[SLOTS];
    unsigned head, tail;
    nanoseconds line_is_free;  /* when the last packet taken will have left */
};

static double one_way_ms, mbit, loss_percent;

static nanoseconds now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* Enters a namespace and makes tun0 there; the descriptor stays good when the next namespace is entered. */
static int open_end(const char *namespace, const char *own, const char *other) {
    char text[256];
    snprintf(text, sizeof text, "/run/netns/%s", namespace);
    int file = open(text, O_RDONLY | O_CLOEXEC);
    if (file < 0 || setns(file, CLONE_NEWNET) < 0) fail(text);
    close(file);

    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun < 0) fail("/dev/net/tun");
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    strcpy(request.ifr_name, "tun0");
    if (ioctl(tun, TUNSETIFF, &request) < 0) fail("tun0");

    /* The device's own queue must never be the one that overflows. */
    snprintf(text, sizeof text,
             "ip link set lo up && ip addr add %s peer %s dev tun0 && ip link set tun0 up mtu 1500 txqueuelen 10000",
             own, other);
    if (system(text) != 0) exit(1);
    return tun;
}

/* Hands over what is due; returns when the next packet will be, or 0 if there is none. */
static nanoseconds deliver(struct direction *way, int tun, nanoseconds time) {
    for (; way->head != way->tail; way->head++) {
        struct packet *packet = &way->slots[way->head % SLOTS];
        if (packet->due > time) return packet->due;
        /* A device that takes no more loses the packet, as a wire would. */
        if (write(tun, packet->bytes, packet->length) < 0 && errno != EAGAIN && errno != EIO) fail("write");
        free(packet->bytes);
    }
    return 0;
}

/* Takes what has been sent, and decides when it will arrive, if at all. */
static void take(struct direction *way, int tun) {
    static unsigned char buffer[LARGEST_PACKET];
    for (int count = 0; count < BURST; count++) {
        int length = read(tun, buffer, sizeof buffer);
        if (length <= 0) return;
        if (loss_percent > 0 && drand48() * 100 < loss_percent) continue;
        if (way->tail - way->head >= SLOTS) continue;
        nanoseconds leaves = now();
        if (mbit > 0) {
            if (way->line_is_free < leaves) way->line_is_free = leaves;
            if (way->line_is_free - leaves > QUEUE) continue;
            way->line_is_free += (nanoseconds)(length * 8 * 1000.0 / mbit);
            leaves = way->line_is_free;
        }
        struct packet *packet = &way->slots[way->tail % SLOTS];
        packet->bytes = malloc(length);
        if (packet->bytes == NULL) fail("malloc");
        memcpy(packet->bytes, buffer, length);
        packet->length = length;
        packet->due = leaves + (nanoseconds)(one_way_ms * MILLISECOND);
        way->tail++;
    }
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: tundelay NAMESPACE_A NAMESPACE_B ONE_WAY_MS [MBIT [LOSS_PERCENT [SEED]]]\n");
        return 64;
    }
    one_way_ms = atof(arguments[3]);
    mbit = count > 4 ? atof(arguments[4]) : 0;
    loss_percent = count > 5 ? atof(arguments[5]) : 0;
    srand48(count > 6 ? atol(arguments[6]) : 1);

    int tun[2] = {
        open_end(arguments[1], "10.77.0.1", "10.77.0.2"),
        open_end(arguments[2], "10.77.0.2", "10.77.0.1"),
    };
    struct direction *ways[2];
    for (int end = 0; end < 2; end++) {
        ways[end] = calloc(1, sizeof *ways[end]);
        if (ways[end] == NULL) fail("calloc");
    }
    fprintf(stderr, "up: %g ms one way, %g Mbit/s, %g %% lost\n", one_way_ms, mbit, loss_percent);

    for (;;) {
        nanoseconds time = now(), next = 0;
        for (int end = 0; end < 2; end++) {
            nanoseconds due = deliver(ways[end], tun[1 - end], time);
            if (due != 0 && (next == 0 || due < next)) next = due;
        }
        struct pollfd ends[2] = {{tun[0], POLLIN, 0}, {tun[1], POLLIN, 0}};
        struct timespec wait = {0, 0};
        if (next != 0) {
            time = now();
            nanoseconds left = next > time ? next - time : 0;
            wait.tv_sec = left / SECOND;
            wait.tv_nsec = left % SECOND;
        }
        ppoll(ends, 2, next != 0 ? &wait : NULL, NULL);
        for (int end = 0; end < 2; end++) {
            if (ends[end].revents & POLLIN) take(ways[end], tun[end]);
        }
    }
}
