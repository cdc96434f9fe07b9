#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh: KAFKA_NODE_ID becomes node.id, and so on; the folder is formatted once; then Kafka.
set -e
conf=/tmp/server.properties
read -ra heap <<<"${KAFKA_HEAP_OPTS:-}"
java=(java "${heap[@]}" -cp "/opt/kafka/libs/*")
env | sed -n 's/^KAFKA_\([A-Z_]*\)=/\1 /p' | while read -r name value; do
    [[ $name == HEAP_OPTS ]] || printf '%s=%s\n' "$(tr A-Z_ a-z. <<<"$name")" "$value"
done >"$conf"
"${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" -c "$conf"
exec "${java[@]}" kafka.Kafka "$conf"
