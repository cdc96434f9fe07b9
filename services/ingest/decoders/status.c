/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fieldcast/<device>/status: "online", or "offline" (the last will), retained. */
#include <strings.h>

#include "services/ingest/decode.h"

enum reject decode_status(const struct input *in, struct message *m, struct err *e)
{
    char raw[DEVICE_MAX * 2 + 1];
    struct item *it = message_last(m);
    it->kind = ITEM_STATUS;
    if (!topic_level(in->topic, 1, raw, sizeof raw))
        return reject_say(REJECT_BAD_DEVICE, e,
                          "the device in the topic %.200s is too long", in->topic);
    enum reject r = decode_device_text(m, raw, e);
    if (r)
        return r;
    it->online = in->len == 6 && !strncasecmp(in->payload, "online", 6);
    if (it->online || (in->len == 7 && !strncasecmp(in->payload, "offline", 7)))
        return REJECT_NONE;
    return reject_say(REJECT_BAD_VALUE, e, "a status is \"online\" or \"offline\"");
}
