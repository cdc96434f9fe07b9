/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a chart is made of: text that cannot break out, curves with holes. */
#include "tests/unit/unit.h"

#include <math.h>
#include <unistd.h>

#include "tools/svg.h"

static char path[64], got[20000];

static int setup(void **state)
{
    (void)state;
    temp_file(path, "");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static struct svg begin(void)
{
    struct svg s;
    struct err e = ERR_INIT;
    assert_ok(svg_open(&s, path, 100, 50, "a < b", &e), e);
    return s;
}

static void end(struct svg *s)
{
    struct err e = ERR_INIT;
    assert_ok(svg_close(s, &e), e);
    FILE *f = fopen(path, "r");
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
}

static void has(const char *text)
{
    if (!strstr(got, text))
        fail_msg("\"%s\" is not in: %s", text, got);
}

static void texts(void **state)
{
    (void)state;
    struct svg s = begin();
    svg_text(&s, 1, 2, "start", 12, 1, 50, "</text><script>&\"\x1b[2J\xff°");
    svg_text(&s, 1, 2, "end", 12, 0, 4, "büro.co2 & more");
    svg_text(&s, 1, 2, "end", 12, 0, 4, "büro");
    svg_text(&s, 1, 2, "end", 12, 0, 9, "a\xef\xbf\xbe\xef\xbf\xbf\xed\xa0\x80");
    end(&s);
    has("<title>a &lt; b</title>");
    has("font-weight=\"bold\">&lt;/text&gt;&lt;script&gt;&amp;&quot;\\u001b[2J\\xff°</"
        "text>");
    has("font-size=\"12\"><title>büro.co2 &amp; more</title>büro…</text>");
    has("font-size=\"12\">büro</text>");
    has("font-size=\"12\">a\\ufffe\\uffff\\xed\\xa0\\x80</text>");
    has("</svg>\n");
    assert_null(strstr(got, "script>\""));
}

static void curves(void **state)
{
    (void)state;
    struct svg s = begin();
    const struct svg_panel p = {.x = 10,
                                .y = 20,
                                .width = 100,
                                .height = 50,
                                .right = 10,
                                .bottom = -1,
                                .top = 1};
    const double x[] = {0, 1, 2, 3, 4, 5, 6};
    const double y[] = {0, 1, NAN, -1, NAN, 0.5, 1e300};
    const double lower[] = {0, -1, NAN, -1, -1, NAN, NAN};
    struct axis a;
    axis_values(0, 10, 3, &a);
    svg_panel_begin(&s, &p, &a, &a);
    svg_curve(&s, &p, SVG_MEASURED, 7, x, y);
    svg_band(&s, &p, 7, x, lower, y);
    svg_mark(&s, &p, 5);
    svg_panel_end(&s);
    end(&s);
    /* a run, a value alone, and one that leaves the panel by no more than the clip hides
     */
    has("class=\"measured\" d=\"M10.0 45.0L20.0 20.0M40.0 70.0M60.0 32.5L70.0 "
        "-380.0\"/>");
    has("<circle class=\"dot\" cx=\"40.0\" cy=\"70.0\"");
    has("class=\"band\" d=\"M10.0 45.0L20.0 20.0L20.0 70.0L10.0 45.0Z\"/>");
    has("class=\"band\" d=\"M40.0 70.0L40.0 70.0Z\"/>");
    has("class=\"mark\" d=\"M60.0 20.0V70.0\"/>");
    has("clip-path=\"url(#p0)\"");
}

static void refusals(void **state)
{
    (void)state;
    struct svg s;
    struct err e = ERR_INIT;
    assert_failed(svg_open(&s, "/nowhere/x.svg", 1, 1, "", &e), e, ERR_INVALID,
                  "could not write /nowhere/x.svg: No such file or directory");
    assert_ok(svg_open(&s, "/dev/full", 1, 1, "", &e), e);
    assert_failed(svg_close(&s, &e), e, ERR_INVALID,
                  "could not write /dev/full: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(curves),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
