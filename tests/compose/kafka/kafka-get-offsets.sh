#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
exec java -cp "/opt/kafka/libs/*" org.apache.kafka.tools.GetOffsetShell "$@"
