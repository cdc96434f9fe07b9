/* SPDX-License-Identifier: GPL-3.0-or-later */
/* home/<location>/dht22: an ESP32 with a DHT22, in two shapes that disagree.
 *   {"sensor_id":"esp32_1","location":"Kitchen","temp_c":28.8,"hum_pct":61.2,"ts":815000000}
 *   {"temp_c":28.8,"hum":61.2,"sensor_id":"esp32_1"}
 * The device is the location in the topic, compared without case. ts counts from 2000. */
#include <ctype.h>
#include <string.h>

#include "services/ingest/decode.h"

bool fits_system0(const json_t *root)
{
    return json_object_get(root, "temp_c") &&
           (json_object_get(root, "hum_pct") || json_object_get(root, "hum"));
}

static enum reject device(const char *topic, const json_t *root, struct message *m,
                          struct err *e)
{
    char name[RAW_DEVICE_MAX + 1];
    const char *location = json_string_value(json_object_get(root, "location"));
    if (!topic_level(topic, 1, name, sizeof name)) {
        if (!location || strlen(location) >= sizeof name)
            return decode_device(m, NULL, "location", e);
        strcpy(name, location);
    }
    for (char *p = name; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return decode_device_text(m, name, e);
}

enum reject decode_system0(const struct input *in, struct message *m, struct err *e)
{
    const json_t *root = in->root;
    static const char *const not_values[] = {"sensor_id", "location", "ts", NULL};
    enum reject r = device(in->topic, root, m, e);
    if (r || (r = decode_time(m, json_object_get(root, "ts"), "ts", e)))
        return r;
    decode_location(m, json_object_get(root, "location"));
    return decode_values(m, root, not_values, e);
}
