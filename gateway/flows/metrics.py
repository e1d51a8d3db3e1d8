"""Prometheus counters of the flows."""

from prometheus_client import Counter, Histogram

RECEIVED = Counter("gateway_flows_received_total", "Flows stored for the first time, by source.", ["source"])
POLLS = Counter("gateway_platform_polls_total", "Readings of a platform’s list, by outcome.", ["platform", "outcome"])
CALLS = Counter("gateway_platform_calls_total", "Calls of platforms, by outcome.", ["platform", "outcome"])
ACKNOWLEDGEMENTS = Counter(
    "gateway_platform_acknowledgements_total", "What platforms said of deliveries, by status.", ["platform", "status"]
)
PROCESSED = Counter(
    "gateway_flows_processed_total", "Flows processed, by syntax and acknowledgement.", ["syntax", "acknowledgement"]
)
QUARANTINED = Counter("gateway_flows_quarantined_total", "Flows put in quarantine, by error code.", ["code"])
PROCESSING_SECONDS = Histogram("gateway_flow_processing_seconds", "Duration of the processing of one flow.")
