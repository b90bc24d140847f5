"""The same lab in Mininet: one Linux bridge, N hosts. Prints milliseconds: up pingall down (pingall 0 unless asked for)."""
import sys
import time

from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

setLogLevel("error")
start = time.monotonic()
net = Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
up = time.monotonic()
if "pingall" in sys.argv:
    net.pingAll(timeout="1")
reached = time.monotonic()
net.stop()
print(f"{1e3 * (up - start):.1f} {1e3 * (reached - up):.1f} {1e3 * (time.monotonic() - reached):.1f}")
