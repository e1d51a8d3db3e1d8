"""Prometheus counters of the flows."""

from prometheus_client import Counter, Histogram

RECEIVED = Counter("gateway_flows_received_total", "Flows stored for the first time, by source.", ["source"])
POLLS = Counter("gateway_platform_polls_total", "Readings of a platform's list, by outcome.", ["platform", "outcome"])
PROCESSED = Counter(
    "gateway_flows_processed_total", "Flows processed, by syntax and acknowledgement.", ["syntax", "acknowledgement"]
)
QUARANTINED = Counter("gateway_flows_quarantined_total", "Flows put in quarantine, by error code.", ["code"])
PROCESSING_SECONDS = Histogram("gateway_flow_processing_seconds", "Duration of the processing of one flow.")
