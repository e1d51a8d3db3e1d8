"""The flows of the simulated platform as XP Z12-013 shows them."""

from gateway.flows.model import SimulatedFlow
from gateway.flows.representation import AcknowledgementDetail, AcknowledgementView, FlowView
from gateway.flows.simulator.scenarios import acknowledgement_of
from gateway.flows.terms import FlowDirection, FlowProfile, FlowSyntax, FlowType, ProcessingRule, RuleSource


def flow_view(row: SimulatedFlow) -> FlowView:
    """A flow of the simulated platform as the standard shows it."""
    return FlowView(
        flow_id=str(row.id),
        submitted_at=row.submitted_at,
        updated_at=row.visible_at,
        name=row.name,
        tracking_id=row.tracking_id,
        flow_syntax=FlowSyntax(row.flow_syntax),
        flow_profile=FlowProfile(row.flow_profile or FlowProfile.UNDEFINED),
        flow_type=FlowType(row.flow_type),
        flow_direction=FlowDirection(row.direction),
        processing_rule=ProcessingRule(row.processing_rule or ProcessingRule.B2B),
        processing_rule_source=RuleSource.INPUT if row.processing_rule else RuleSource.COMPUTED,
        acknowledgement=_acknowledgement(row),
    )


def _acknowledgement(row: SimulatedFlow) -> AcknowledgementView:
    told = acknowledgement_of(row.scenario, pending=row.is_pending)
    details = [
        AcknowledgementDetail(level="Error", item=each.item, reason_code=each.reason_code, reason_message=each.message)
        for each in told.remarks
    ]
    return AcknowledgementView(status=told.status, details=tuple(details) or None)
