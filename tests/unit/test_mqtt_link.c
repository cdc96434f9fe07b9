/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS with a broker that does not read for a while: openssl s_server, which reads as fast
 * as its output is. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/mqtt_link.h"
#include "common/stop.h"

#define LONG_MS 20000
#define SENT ((size_t)1 << 20) /* what is compared, behind what fills the line */

struct server {
    pid_t pid;
    int in, out; /* its standard input and output */
    char folder[40], cert[60], url[40];
};

static char *free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return xasprintf("%d", ntohs(a.sin_port));
}

static void start(struct server *s)
{
    int in[2], out[2];
    strcpy(s->folder, "/tmp/fieldcast-link.XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->cert, sizeof s->cert, "%s/cert.pem", s->folder);
    char *make = xasprintf("openssl req -x509 -newkey rsa:2048 -nodes -keyout %s -out "
                           "%s.crt -days 2 -subj /CN=x -addext "
                           "subjectAltName=IP:127.0.0.1 2>/dev/null && "
                           "cat %s.crt >>%s && rm %s.crt",
                           s->cert, s->cert, s->cert, s->cert, s->cert);
    assert_int_equal(system(make), 0);
    free(make);
    char *port = free_port();
    snprintf(s->url, sizeof s->url, "ssl://127.0.0.1:%s", port);
    assert_int_equal(pipe(in) | pipe(out), 0);
    s->pid = fork();
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when the test fails */
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp("openssl", "openssl", "s_server", "-accept", port, "-cert", s->cert,
               "-quiet", NULL);
        _exit(1);
    }
    close(in[0]);
    close(out[1]);
    s->in = in[1];
    s->out = out[0];
    free(port);
}

static void stop(const struct server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    close(s->in);
    close(s->out);
    unlink(s->cert);
    rmdir(s->folder);
}

static struct mqtt_link *dial(const struct server *s)
{
    struct mqtt_link_opts o = {.url = s->url, .ca_file = s->cert, .timeout_ms = 5000};
    struct mqtt_link *l = NULL;
    struct err e = ERR_INIT;
    for (int64_t end = clock_mono_ms() + LONG_MS; !l && clock_mono_ms() < end;) {
        e = (struct err)ERR_INIT;
        l = mqtt_link_open(&o, &e);
        if (!l)
            clock_sleep_ms(50);
    }
    assert_ok(!l, e);
    return l;
}

/* Bytes that say where they stand. */
static unsigned char at(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

/* Everything that came, as it was sent? */
static void read_some(const struct server *s, size_t *got)
{
    unsigned char p[65536];
    struct pollfd f = {.fd = s->out, .events = POLLIN};
    while (poll(&f, 1, 0) == 1) {
        ssize_t n = read(s->out, p, sizeof p);
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            if (p[i] != at((*got)++))
                fail_msg("byte %zu is not what was sent", *got - 1);
    }
}

/* What does not leave now is tried again from another place in memory, and longer: as a
 * buffer that grows. */
static void test_full_line(void **unused)
{
    (void)unused;
    struct server s;
    struct err e = ERR_INIT;
    static unsigned char place[2][65536];
    size_t sent = 0, got = 0, piece = 50000, blocked = 0, tries = 0;
    start(&s);
    struct mqtt_link *l = dial(&s);
    for (int64_t end = clock_mono_ms() + 3 * LONG_MS;
         (!blocked || sent < blocked + SENT || got < sent) && clock_mono_ms() < end;) {
        unsigned char *p = place[tries++ % 2];
        for (size_t i = 0; i < piece; i++)
            p[i] = at(sent + i);
        bool more = !blocked || sent < blocked + SENT;
        long n = more ? mqtt_link_write(l, p, piece, &e) : 0;
        memset(p, 0, piece);
        if (n < 0)
            fail_msg("after %zu bytes: %s", sent, e.text);
        sent += (size_t)n;
        if (more && !n) {
            blocked = blocked ? blocked : sent;
            piece += piece < sizeof *place - 1000 ? 1000 : 0;
            assert_true(mqtt_link_under_way(l) > 0);
        }
        if (blocked)
            read_some(&s, &got);
    }
    assert_true(blocked && got == sent);
    mqtt_link_close(l);
    stop(&s);
}

int main(void)
{
    stop_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_full_line)};
    return cmocka_run_group_tests_name("mqtt_link", tests, NULL, NULL);
}
