/* bareloop: the least that copying blobs costs a program that hashes them.
 *
 *     bareloop [--tls] SOURCE_PORT DESTINATION_PORT [GET_PATH PUT_PATH BYTES]...
 *
 * For each three arguments a thread downloads GET_PATH from one registry on 127.0.0.1 and uploads it to PUT_PATH of
 * another: recv, SHA-256, send, and nothing else. No HTTP library, no retries, no comparison of the digest, no
 * certificate checked. `make bench` runs it beside the real programs as a yardstick: what a real one needs more is what
 * its HTTP client, its buffers and its care cost, and a target below this line asks for the impossible.
 *
 * Build: cc -O2 -o bareloop bareloop.c -lssl -lcrypto -lpthread
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (256 * 1024)  /* larger buffers than this gain nothing over TLS, whose records are 16 KiB */

struct blob {
    const char *get, *put;
    long size;
};

struct end {
    int socket;
    SSL *tls;  /* NULL on plain connections */
};

static SSL_CTX *context;
static int source_port, destination_port;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct end dial(int port) {
    struct end end = {socket(AF_INET, SOCK_STREAM, 0), NULL};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (end.socket < 0 || connect(end.socket, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    if (context != NULL) {
        end.tls = SSL_new(context);
        if (end.tls == NULL || !SSL_set_fd(end.tls, end.socket) || SSL_connect(end.tls) != 1) fail("TLS");
    }
    return end;
}

static int take(struct end *end, char *bytes, int room) {
    int count = end->tls != NULL ? SSL_read(end->tls, bytes, room) : (int)recv(end->socket, bytes, room, 0);
    if (count <= 0) fail("the connection ended early");
    return count;
}

static void give(struct end *end, const char *bytes, int count) {
    while (count > 0) {
        int sent = end->tls != NULL ? SSL_write(end->tls, bytes, count) : (int)send(end->socket, bytes, count, 0);
        if (sent <= 0) fail("send");
        bytes += sent;
        count -= sent;
    }
}

static void *carry(void *argument) {
    const struct blob *blob = argument;
    char *buffer = malloc(BUFFER);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (buffer == NULL || hash == NULL || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL)) fail("memory");
    struct end source = dial(source_port), destination = dial(destination_port);

    int count = snprintf(buffer, BUFFER, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", blob->get, source_port);
    give(&source, buffer, count);
    count = snprintf(buffer, BUFFER,
                     "PUT %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %ld\r\n"
                     "Content-Type: application/octet-stream\r\n\r\n",
                     blob->put, destination_port, blob->size);
    give(&destination, buffer, count);

    /* The answer's head, whole in the first bytes with every registry that is measured here. */
    count = take(&source, buffer, BUFFER);
    char *body = memmem(buffer, count, "\r\n\r\n", 4);
    if (body == NULL || memcmp(buffer, "HTTP/1.1 200", 12) != 0) fail("the source's answer");
    body += 4;
    count -= (int)(body - buffer);
    long left = blob->size;
    for (;;) {
        EVP_DigestUpdate(hash, body, count);
        give(&destination, body, count);
        left -= count;
        if (left <= 0) break;
        body = buffer;
        count = take(&source, buffer, BUFFER);
    }
    count = take(&destination, buffer, BUFFER);
    if (count < 12 || memcmp(buffer, "HTTP/1.1 201", 12) != 0) fail("the destination's answer");

    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(hash, digest, NULL);
    return NULL;
}

int main(int count, char **arguments) {
    int first = 1;
    signal(SIGPIPE, SIG_IGN);
    if (count > 1 && strcmp(arguments[1], "--tls") == 0) {
        context = SSL_CTX_new(TLS_client_method());
        if (context == NULL) fail("TLS");
        first = 2;
    }
    if (count < first + 5 || (count - first - 2) % 3 != 0) {
        fprintf(stderr, "usage: bareloop [--tls] SOURCE_PORT DESTINATION_PORT [GET_PATH PUT_PATH BYTES]...\n");
        return 64;
    }
    source_port = atoi(arguments[first]);
    destination_port = atoi(arguments[first + 1]);

    int blobs = (count - first - 2) / 3;
    struct blob *blob = calloc(blobs, sizeof *blob);
    pthread_t *thread = calloc(blobs, sizeof *thread);
    if (blob == NULL || thread == NULL) fail("memory");
    for (int n = 0; n < blobs; n++) {
        char **three = arguments + first + 2 + 3 * n;
        blob[n] = (struct blob){three[0], three[1], atol(three[2])};
        if (pthread_create(&thread[n], NULL, carry, &blob[n]) != 0) fail("thread");
    }
    for (int n = 0; n < blobs; n++) pthread_join(thread[n], NULL);
    return 0;
}
