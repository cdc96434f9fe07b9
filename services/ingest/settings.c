/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/settings.h"

#include <stddef.h>
#include <string.h>

#include "services/ingest/ledger_metrics.h"

#define AT(field) offsetof(struct ingest_settings, field)
#define CLIENT_ID "fieldcast-ingest"
/* clang-format off */
#define FILTERS                                                                         \
    "fieldcast/+/readings,fieldcast/+/status,"                                          \
    "home/+/dht22,iot-device-data,sensor/output,iot-frames-model,iot-frames-sensor,sensors/+/data,"\
    "tele/+/SENSOR,tele/+/STATE,tele/+/LWT,stat/+/STATUS8,stat/+/STATUS10,"             \
    "zigbee2mqtt/#,+/sensor/+/state,+/binary_sensor/+/state,+/status,"                  \
    "application/+/device/+/event/+,v3/+/devices/+/up,influx/#,"                        \
    "spBv1.0/#,homie/#,homeassistant/sensor/+/+/config"
/* clang-format on */

const struct setting ingest_settings_table[] = {
    SERVICE_SETTINGS(struct ingest_settings, common, "8101", "1"),
    {"DATA_DIR", SET_STRING, AT(data_dir), NULL, 1, 3000,
     "folder of the write-ahead log and all else that ingest keeps"},
    {"DURABILITY", SET_STRING, AT(durability), "process", 1, 20,
     "what a taken reading survives: process (SIGKILL) or power (power loss, slower)"},
    {"LOG_MAX_MB", SET_INT, AT(log_max_mb), "2048", 4, 1 << 20,
     "largest size of the log; when it is full ingest stops taking, MB"},
    {"LOG_MAX_AGE_D", SET_INT, AT(log_max_age_d), "30", 0, 36500,
     "age of what a sink has not got at which ingest stops taking, days; 0: any"},
    MQTT_SETTINGS(struct ingest_settings, mqtt, CLIENT_ID, 1,
                  "name of the session that the broker keeps"),
    {"MQTT_FILTERS", SET_STRING, AT(mqtt_filters), FILTERS, 1, 2048,
     "topics to subscribe to, comma-separated, at most 32"},
    {"MQTT_SHARE", SET_STRING, AT(mqtt_share), "", 0, 64,
     "group of ingests that share the messages; each needs its own FC_MQTT_CLIENT_ID and "
     "FC_MEMBER"},
    {"MEMBER", SET_INT, AT(member), "0", 0, INTERPRETER_MEMBERS,
     "which of several ingests that share messages this is; 0: there is only this one"},
    {"DECODE_FILE", SET_STRING, AT(decode_file), "", 0, 3000,
     "JSON file that says how messages of your own topics are read; empty: none"},
    {"SPARKPLUG_REBIRTH", SET_INT, AT(sparkplug_rebirth), "1", 0, 1,
     "1: ask Sparkplug edge nodes for a new birth when one is missing; 0: never"},
    INFLUX_SETTINGS(struct ingest_settings, influx),
    {"BATCH_POINTS", SET_INT, AT(batch_points), "5000", 1, 50000,
     "most points in one write to InfluxDB"},
    {"FLUSH_MS", SET_INT, AT(flush_ms), "500", 5, 60000,
     "longest a reading waits for others before it is written, ms"},
    {"ARCHIVE_DIR", SET_STRING, AT(archive_dir), "", 0, 3000,
     "folder for readings as files of JSON lines; empty: none"},
    {"ARCHIVE_FILE_MB", SET_INT, AT(archive_file_mb), "64", 1, 65536,
     "size at which a file of the archive is closed, MB"},
    {"ARCHIVE_KEEP_D", SET_INT, AT(archive_keep_d), "0", 0, 36500,
     "days that files of the archive are kept; 0: for ever"},
    {"LIVE_URLS", SET_STRING, AT(live_urls), "", 0, 2048,
     "predictors that get live readings, comma-separated; empty: none"},
    KAFKA_SIDE_SETTINGS(struct ingest_settings, kafka),
    {"TIME_PAST_D", SET_INT, AT(time_past_d), "400", 1, 36500,
     "how far back a device's time is believed, days"},
    {"TIME_FUTURE_S", SET_INT, AT(time_future_s), "600", 0, 86400,
     "how far ahead a device's time is believed, s"},
    {"TIME_LOCAL_MIN", SET_INT, AT(time_local_min), "0", -840, 840,
     "how far times without a zone are ahead of UTC, minutes"},
    {"DEVICES_MAX", SET_INT, AT(devices_max), "100000", 1, 1000000,
     "most devices; messages of others are refused"},
    {"DEVICES_PER_MIN", SET_INT, AT(devices_per_min), "10000", 1, 1000000,
     "most devices that are new within a minute; messages of others are refused"},
    {"QUANTITIES_MAX", SET_INT, AT(quantities_max), "256", 1, 60000,
     "most quantities of one device"},
    {"QUANTITY_NAMES_MAX", SET_INT, AT(quantity_names_max), "4096", 1, 60000,
     "most names of quantities, all devices together"},
    {"METRICS_DEVICES", SET_INT, AT(metrics_devices), "100", 0, LEDGER_METRICS_MAX,
     "devices with an account of their own in /metrics, others are one; 0: no device"},
    {"HA_DISCOVERY", SET_BOOL, AT(ha_discovery), "0", 0, 1,
     "1: Home Assistant is told of devices that send as Fieldcast's own do"},
    {"HA_PREFIX", SET_STRING, AT(ha_prefix), "homeassistant", 1, 128,
     "first levels of the topics on which it is told"},
    {"HA_EXPIRE_S", SET_INT, AT(ha_expire_s), "3600", 0, 31536000,
     "how long it shows a value that is not renewed, s; 0: for ever"},
    {"DEADLETTER_MAX_MB", SET_INT, AT(deadletter_max_mb), "64", 1, 10240,
     "size of the dead letters that are kept, MB"},
    {"RETAIN_READINGS_D", SET_INT, AT(retain_readings_d), "90", 0, 36500,
     "days that readings and live residuals are kept; 0: for ever"},
    {"RETAIN_LEADS_D", SET_INT, AT(retain_leads_d), "400", 0, 36500,
     "days that forecasts by lead and evaluations are kept; 0: for ever"},
    {0},
};

bool ingest_settings_power(const struct ingest_settings *s)
{
    return !strcmp(s->durability, "power");
}

int ingest_settings_load(struct ingest_settings *s, struct err *e)
{
    if (settings_load(ingest_settings_table, s, e))
        return -1;
    if (!ingest_settings_power(s) && strcmp(s->durability, "process"))
        return err_set(e, ERR_INVALID,
                       "FC_DURABILITY must be process or power, not \"%s\"",
                       s->durability);
    if (strpbrk(s->mqtt_share, "/+#"))
        return err_set(e, ERR_INVALID,
                       "FC_MQTT_SHARE must be a plain name without / + and #, not \"%s\"",
                       s->mqtt_share);
    if (*s->mqtt_share && !strcmp(s->mqtt.client_id, CLIENT_ID))
        return err_set(e, ERR_INVALID,
                       "FC_MQTT_SHARE=%s needs FC_MQTT_CLIENT_ID, another in each ingest "
                       "of the group and for ever the same in one: the broker keeps its "
                       "part of the messages under this name",
                       s->mqtt_share);
    if (*s->mqtt_share && !s->member)
        return err_set(
            e, ERR_INVALID,
            "FC_MQTT_SHARE=%s needs FC_MEMBER, from 1 to %d and another in each "
            "ingest of the group: so no two of them give readings without a "
            "time the same one",
            s->mqtt_share, INTERPRETER_MEMBERS);
    size_t n = strlen(s->ha_prefix);
    if (strpbrk(s->ha_prefix, "+#") || *s->ha_prefix == '/' || s->ha_prefix[n - 1] == '/')
        return err_set(e, ERR_INVALID,
                       "FC_HA_PREFIX must be the beginning of a topic, such as "
                       "homeassistant, not \"%s\"",
                       s->ha_prefix);
    return kafka_side_check(&s->kafka, e);
}

void ingest_settings_done(struct ingest_settings *s)
{
    settings_done(ingest_settings_table, s);
}
