"""``samspel demo``: simulated homes, a real broker, the real edge, and a dispatcher who tries them hard.

broker      mosquitto where it is found, else amqtt in this process
home        one home of one brand in a thread of its own; all play the same at the same time
children    the twin and the edge as processes of their own, so that they can be killed; `leash.py` ends them with us
dispatcher  writes commands; `inbox.py` holds everything that comes back, `mqtt.py` is the line between them
play        the scenes; `record.py` notes what was expected of each, `truth.py` is what the home really does
transcript  what each home said to the same commands, compared: a brand must not show in it
screen      what a person sees meanwhile (`view.py`, `picture.py`, `chart.py`), and the `summary.py`
"""

from samspel_sim.demo.command import command

__all__ = ["command"]
