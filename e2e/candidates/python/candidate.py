"""
A leader-elected program on the official Python client's LeaderElection as it is.
Each step of its election is a JSON line on standard output.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
import traceback

from kubernetes import config
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock


def say(event):
    """In one write: the process may be killed at any moment."""
    # On Linux the clock that all processes of a machine share.
    line = {"event": event, "monotonicMillis": time.monotonic() * 1000, "wallMillis": time.time() * 1000}
    os.write(1, (json.dumps(line) + "\n").encode())


def seconds(text):
    """An int where it can be one: the elector takes no other duration."""
    given = float(text.removesuffix("s"))
    return int(given) if given.is_integer() else given


class Work:
    """What the program does only while it leads: here, to say so."""

    def __init__(self):
        self.turn = threading.Lock()
        self.is_leading = False
        self.is_over = False

    def begin(self):
        with self.turn:
            if self.is_over:
                return
            self.is_leading = True
            say("leading")

    def finish(self):
        with self.turn:
            if self.is_leading:
                say("stopped")
            self.is_leading = False
            self.is_over = True


flags = argparse.ArgumentParser()
flags.add_argument("--kubeconfig", required=True)
flags.add_argument("--namespace", required=True)
flags.add_argument("--lease", required=True)
flags.add_argument("--id", required=True)
flags.add_argument("--lease-duration", type=seconds, default=15)
flags.add_argument("--renew-deadline", type=seconds, default=10)
flags.add_argument("--retry-period", type=seconds, default=2)
flags.add_argument("--release-on-cancel", action="store_true", help="in vain: this elector has no way to release")
given = flags.parse_args()

config.load_kube_config(config_file=given.kubeconfig)
work = Work()


def elect():
    election = electionconfig.Config(
        LeaseLock(given.lease, given.namespace, given.id),
        lease_duration=given.lease_duration,
        renew_deadline=given.renew_deadline,
        retry_period=given.retry_period,
        onstarted_leading=work.begin,
        onstopped_leading=work.finish,
    )
    leaderelection.LeaderElection(election).run()
    print("the Lease was lost", file=sys.stderr, flush=True)


def run():
    try:
        elect()
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(1)


def stop(*_):
    # The election has no way to be stopped: nothing of it may be left when the work has ended.
    work.finish()
    os._exit(0)


signal.signal(signal.SIGTERM, stop)
say("started")
threading.Thread(target=run).start()
while True:
    signal.pause()
