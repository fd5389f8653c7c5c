"""``samspel demo``: a simulated home, a real broker, the real edge, and a dispatcher who tries them hard.

broker      mosquitto where it is found, else amqtt in this process
children    the twin and the edge as processes of their own, so that they can be killed
dispatcher  publishes commands, listens to everything that comes back
play        the scenes, each with what is expected of it
screen      what a person sees meanwhile, and the summary
"""

from samspel_sim.demo.command import command

__all__ = ["command"]
