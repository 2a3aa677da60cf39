"""What this worker knows of itself, for Prometheus: of its pumps, its inbox and its process.

The numbers in labels are those that it sends from now. What all messages came to is counted without them, and goes on
counting when a pump ends.
"""

import logging
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from prometheus_client import REGISTRY, Metric, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pregon.sending.models import Status
from pregon.worker.pumps import Pumps

log = logging.getLogger(__name__)
OUTCOMES = (Status.ACCEPTED, Status.FAILED, Status.UNCONFIRMED, Status.QUEUED)  # queued: to be tried again


def serve(pumps: Pumps) -> None:
    """On `PREGON_METRICS_ADDRESS`, in a thread; nowhere without it. An address that is taken costs nobody a message."""
    if settings.METRICS_ADDRESS is None:
        return
    host, port = settings.METRICS_ADDRESS
    REGISTRY.register(Pumping(pumps))
    try:
        start_http_server(port, host)
    except OSError as error:
        log.error("no metrics on %s, port %s: %s", host, port, error.strerror)


class Pumping(Collector):
    """Reads the pumps when it is asked."""

    def __init__(self, pumps: Pumps) -> None:
        self.pumps = pumps

    def collect(self) -> Iterator[Metric]:
        in_flight = GaugeMetricFamily("pregon_pump_in_flight", "Requests that Meta has not answered", labels=["number"])
        allowed = GaugeMetricFamily("pregon_pump_pace", "Messages per second, as Meta lets it now", labels=["number"])
        share = GaugeMetricFamily("pregon_pump_pace_factor", "Share of the number's own speed", labels=["number"])
        for pump, _task in list(self.pumps.running.values()):
            number = [str(pump.number.pk)]
            in_flight.add_metric(number, pump.in_flight)
            allowed.add_metric(number, pump.number.mps * pump.pace.factor)
            share.add_metric(number, pump.pace.factor)
        yield from (in_flight, allowed, share, _outcomes(self.pumps.tally))


def _outcomes(tally: Counter[str]) -> Metric:
    family = CounterMetricFamily("pregon_messages", "Messages that were settled by this worker", labels=["outcome"])
    for outcome in OUTCOMES:
        family.add_metric([str(outcome)], tally[outcome])
    return family
