"""A client that knows the inverter from other people's software, on a library that is not ours.

No package with code for these registers is known, so this one is written here, in the words of the public clients
and with nothing of the driver: the blocks that they read, and the sequences that they write, by address.
"""

import asyncio
import struct
from contextlib import asynccontextmanager

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import served_twin

FRAMINGS = [("aio3", FramerType.SOCKET), ("gateway", FramerType.RTU)]


class Visitor:
    """Reads and writes by address."""

    def __init__(self, client):
        self._client = client

    async def block(self, first, count):
        answer = await self._client.read_holding_registers(first, count=count, device_id=1)
        assert not answer.isError(), answer
        return dict(zip(range(first, first + count), answer.registers, strict=True))

    async def put(self, address, word):
        answer = await self._client.write_register(address, word, device_id=1)
        assert not answer.isError(), answer

    async def signed(self, address):
        (word,) = (await self.block(address, 1)).values()
        return word - 0x10000 if word & 0x8000 else word

    async def until(self, address, reached):
        while not reached(value := await self.signed(address)):  # noqa: ASYNC110 - it polls, as clients do
            await asyncio.sleep(0.01)
        return value


@asynccontextmanager
async def visiting(path, framer, **options):
    async with served_twin("saj", TwinOptions(path=path, **options), speed=30) as (host, port, twin):
        client = AsyncModbusTcpClient(host, port=port, framer=framer, retries=0, timeout=5)
        await client.connect()
        try:
            yield Visitor(client), twin
        finally:
            client.close()


@pytest.mark.parametrize(("path", "framer"), FRAMINGS)
async def test_it_finds_out_what_the_machine_is(path, framer):
    async with visiting(path, framer, model="HS2-10K-T2", seed=5) as (visitor, _):
        words = await visitor.block(0x8F00, 29)
        serial, product = (
            struct.pack(">10H", *(words[first + offset] for offset in range(10))) for first in (0x8F03, 0x8F0D)
        )
        assert words[0x8F00] != 0
        assert serial.rstrip(b"\0") == b"SIM000000005"
        assert product.rstrip(b"\0") == b"HS2-10K-T2"
        assert words[0x8F18] == 4066


@pytest.mark.parametrize(("path", "framer"), FRAMINGS)
async def test_it_reads_a_balanced_home(path, framer):
    async with visiting(path, framer, soc_pct=58) as (visitor, twin):
        twin.misbehave("stuck")  # so that all blocks are of one moment
        words = await visitor.block(0x406E, 64)
        signed = {address: word - 0x10000 if word & 0x8000 else word for address, word in words.items()}
        assert words[0x406F] == pytest.approx(5800, abs=50)
        assert signed[0x40A5] + signed[0x40A6] + signed[0x40AD] == pytest.approx(signed[0x40A0], abs=3)
        meter = await visitor.block(0xA03D, 18)
        phases = [meter[address] - (0x10000 if meter[address] & 0x8000 else 0) for address in (0xA03F, 0xA045, 0xA04B)]
        assert sum(phases) == pytest.approx(signed[0x40AD], abs=3)


@pytest.mark.parametrize(("path", "framer"), FRAMINGS)
async def test_it_charges_in_passive_mode_and_stops(path, framer):
    async with visiting(path, framer, soc_pct=50) as (visitor, twin):
        twin.set({"pv_power_w": 0, "load_power_w": 400})
        await visitor.put(0x3639, 250)
        await visitor.put(0x3636, 2)
        await visitor.put(0x3647, 3)
        assert await visitor.until(0x40A6, lambda watts: watts <= -2480) >= -2510
        assert await visitor.until(0x4096, lambda flag: flag == -1) == -1
        await visitor.put(0x3636, 0)
        await visitor.put(0x3647, 0)
        await visitor.put(0x3639, 1000)
        assert await visitor.until(0x40A6, lambda watts: watts >= 390) <= 410


async def test_it_sells_from_the_battery_in_a_slot_of_its_own():
    async with visiting("aio3", FramerType.SOCKET, soc_pct=70, epoch_s=1_782_129_600.0) as (visitor, twin):
        twin.set({"pv_power_w": 0, "load_power_w": 400})
        for address, word in [
            (0x3604, 0), (0x3605, 0), (0x364E, 1100), (0x3650, 1100), (0x3660, 1), (0x362D, 0x0B00), (0x362E, 0x0F00),
            (0x362F, 0x7F1E), (0x3647, 1), (0x3605, 0x40),
        ]:  # fmt: skip
            await visitor.put(address, word)
        assert await visitor.until(0x40A6, lambda watts: watts >= 2980) <= 3010
        assert await visitor.until(0x40AD, lambda watts: watts <= -2580) >= -2620


async def test_a_block_that_is_not_there_answers_exception_0():
    async with visiting("aio3", FramerType.SOCKET) as (visitor, _):
        answer = await visitor._client.read_holding_registers(0x4200, count=12, device_id=1)
        assert (answer.isError(), answer.exception_code) == (True, 0)
        assert await visitor.block(0x4004, 1)
