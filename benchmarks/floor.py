"""The floor: the least that can bring a set-point from MQTT to Modbus, with paho and pymodbus and nothing else.

It checks nothing, keeps nothing, reports nothing and reads nothing back. Same broker, same kind of device, same
registers and values as the edge's steady state: power first, then the command.
"""

from __future__ import annotations

import json
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import ModbusTcpClient

HOST = "127.0.0.1"
FORCIBLE_CHARGE_POWER, FORCIBLE_COMMAND, CHARGE = 47247, 47100, 1


def main(broker_port: int, mqtt5: bool, device_port: int, topic: str) -> None:
    """Forward until killed."""
    device = ModbusTcpClient(HOST, port=device_port)
    device.connect()  # type: ignore[no-untyped-call]

    def forward(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        power_w = -int(json.loads(message.payload)["power_w"])
        device.write_registers(FORCIBLE_CHARGE_POWER, [power_w >> 16, power_w & 0xFFFF], device_id=1)
        device.write_registers(FORCIBLE_COMMAND, [CHARGE], device_id=1)

    version = mqtt.MQTTv5 if mqtt5 else mqtt.MQTTv311
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="floor", protocol=version)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = forward
    client.connect(HOST, broker_port)
    client.subscribe(topic, qos=1)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "5", int(sys.argv[3]), sys.argv[4])
