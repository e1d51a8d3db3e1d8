"""Every page and every form of the site, in one table."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from gateway.web.context import WebContext
from gateway.web.pages import (
    accounting,
    agreements,
    alerts,
    calls,
    customer_files,
    customers,
    flows,
    invoices,
    letters,
    notifications,
    overview,
    penalties,
    quarantine,
    receivables,
    reminders,
    sign_in,
    worklist,
    write_offs,
)
from gateway.web.security import error_page, page_route

__all__ = ["WebContext", "error_page", "router"]

Handler = Callable[..., Any]

PAGES: dict[str, Handler] = {
    "/": overview.show,
    "/sign-in": sign_in.form,
    "/alerts": alerts.inbox,
    "/alerts/{alert_id}": alerts.show,
    "/worklist": worklist.show,
    "/invoices": invoices.search,
    "/invoices/{invoice_id}": invoices.show,
    "/invoices/{invoice_id}/document": invoices.document,
    "/invoices/{invoice_id}/messages/{event_id}": invoices.message,
    "/invoices/{invoice_id}/penalties": penalties.sheet,
    "/hand-overs/{hand_over_id}/file": penalties.file,
    "/invoice.css": invoices.styles,
    "/customers": customers.search,
    "/customers/import": customer_files.show,
    "/customers/{customer_id}": customers.show,
    "/accounting": accounting.show,
    "/accounting/imports/{import_id}": accounting.one,
    "/receivables": receivables.show,
    "/receivables/items": receivables.items,
    "/reminders": reminders.show,
    "/reminders/preview": reminders.foresee,
    "/reminders/preview/message": letters.foreseen,
    "/reminders/preview/documents/{position}": letters.foreseen_document,
    "/reminders/{reminder_id}": reminders.one,
    "/reminders/{reminder_id}/documents/{position}": letters.document,
    "/flows/{flow_id}": flows.show,
    "/flows/{flow_id}/document": flows.document,
    "/promises": agreements.promises,
    "/disputes": agreements.disputes,
    "/disputes/{dispute_id}": agreements.dispute,
    "/plans": agreements.plans,
    "/quarantine": quarantine.show,
    "/notifications": notifications.show,
}

FORMS: dict[str, Handler] = {
    "/sign-in": sign_in.submit,
    "/sign-out": sign_in.leave,
    "/language": sign_in.choose_language,
    "/alerts/{alert_id}/acknowledge": alerts.acknowledge,
    "/alerts/{alert_id}/close": alerts.close,
    "/worklist/{action_id}/assign": worklist.assign,
    "/worklist/{action_id}/complete": worklist.complete,
    "/worklist/{source}/{matter_id}/calls": calls.record,
    "/customers/{customer_id}/comments": calls.comment_on_customer,
    "/invoices/{invoice_id}/comments": calls.comment_on_invoice,
    "/disputes/{dispute_id}/comments": calls.comment_on_dispute,
    "/invoices/{invoice_id}/deliveries/{delivery_id}/resend": invoices.resend_delivery,
    "/customers/{customer_id}/promises": agreements.make_promise,
    "/customers/{customer_id}/plans": agreements.make_plan,
    "/promises/{promise_id}/cancel": agreements.cancel_promise,
    "/plans/{plan_id}/cancel": agreements.cancel_plan,
    "/invoices/{invoice_id}/disputes": agreements.open_dispute,
    "/disputes/{dispute_id}/say": agreements.say,
    "/disputes/{dispute_id}/assign": agreements.assign,
    "/disputes/{dispute_id}/settle": agreements.settle,
    "/disputes/{dispute_id}/reopen": agreements.reopen,
    "/quarantine/{flow_id}/replay": quarantine.replay,
    "/customers/import": customer_files.attempt,
    "/customers/import/{tried_id}": customer_files.take,
    "/accounting": accounting.attempt,
    "/accounting/tried/{tried_id}": accounting.take,
    "/customers/{customer_id}/write-offs": write_offs.make,
    "/write-offs/{write_off_id}/undo": write_offs.undo,
    "/customers/{customer_id}/change": customers.change,
    "/customers/{customer_id}/contacts": customers.add_contact,
    "/customers/{customer_id}/contacts/{contact_id}/remove": customers.remove_contact,
    "/customers/{customer_id}/covers": customers.add_cover,
    "/customers/{customer_id}/covers/{cover_id}/remove": customers.remove_cover,
    "/customers/{customer_id}/notes": customers.add_note,
    "/reminders/{reminder_id}/confirm": reminders.confirm,
    "/reminders/{reminder_id}/refuse": reminders.refuse,
    "/reminders/{reminder_id}/complete": reminders.complete,
    "/reminders/{reminder_id}/settle": reminders.settle,
    "/customers/{customer_id}/exclusions": reminders.exclude,
    "/exclusions/{exclusion_id}/lift": reminders.lift,
    "/address-faults/{fault_id}/lift": calls.lift_address,
    "/reminders/{reminder_id}/bounce": reminders.bounce,
    "/invoices/{invoice_id}/penalties/claim": penalties.claim,
    "/invoices/{invoice_id}/penalties/correct": penalties.correct,
    "/invoices/{invoice_id}/penalties/choose": penalties.choose_for_invoice,
    "/invoices/{invoice_id}/acts": penalties.add_act,
    "/acts/{act_id}/end": penalties.end_act,
    "/penalties/{penalty_id}/waive": penalties.waive,
    "/customers/{customer_id}/penalties/choose": penalties.choose_for_customer,
    "/customers/{customer_id}/insolvencies": penalties.record_proceedings,
    "/insolvencies/{insolvency_id}/declare": penalties.declare,
    "/insolvencies/{insolvency_id}/end": penalties.end_proceedings_of_customer,
    "/customers/{customer_id}/hand-overs": penalties.give,
    "/hand-overs/{hand_over_id}/close": penalties.close,
    "/customers/{customer_id}/orders/block": penalties.block,
    "/customers/{customer_id}/orders/unblock": penalties.unblock,
    "/notifications/read": notifications.read_all,
}


def router(context: WebContext) -> APIRouter:
    """The pages. The assembly serves `gateway.web.rendering.STATIC_FOLDER` at `/static` beside them."""
    routes = APIRouter(route_class=page_route(context), include_in_schema=False)
    for path, page in PAGES.items():
        routes.get(path)(page)
    for path, form in FORMS.items():
        routes.post(path)(form)
    return routes
