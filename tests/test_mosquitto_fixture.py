"""The shared broker is real, keeps its port and its memory, and is gone when told."""

import socket

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion


def publish_retained(broker, payload: bytes) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.publish("test/kept", payload, qos=1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def read_retained(broker) -> bytes:
    arrived: list[bytes] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = lambda *args: arrived.append(args[2].payload)
    client.connect(broker.host, broker.port)
    client.subscribe("test/kept")
    while not arrived:
        assert client.loop(5) == mqtt.MQTT_ERR_SUCCESS
    client.disconnect()
    client.loop()
    return arrived[0]


def listens(broker) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((broker.host, broker.port)) == 0


def test_a_stopped_broker_comes_back_on_its_port_with_its_messages(mosquitto_broker):
    publish_retained(mosquitto_broker, b"kept")
    port = mosquitto_broker.port
    mosquitto_broker.stop()
    assert not listens(mosquitto_broker)
    mosquitto_broker.start()
    assert mosquitto_broker.port == port
    assert read_retained(mosquitto_broker) == b"kept"


def test_a_killed_broker_can_be_started_again(mosquitto_broker):
    mosquitto_broker.kill()
    assert not listens(mosquitto_broker)
    mosquitto_broker.start()
    assert listens(mosquitto_broker)


def test_a_broker_that_cannot_start_shows_its_log(mosquitto_factory):
    with pytest.raises(RuntimeError, match="no_such_option"):
        mosquitto_factory("no_such_option true")
