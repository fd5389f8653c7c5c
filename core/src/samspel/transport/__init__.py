"""Station 1: messages in and out, over MQTT or in memory."""
