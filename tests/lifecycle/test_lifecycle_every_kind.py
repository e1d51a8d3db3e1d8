"""Every status that a seller, a buyer or a platform may set is written for whoever it may go to, and is official."""

import pytest

from gateway.lifecycle.cdar.building import bank_account, company, platform, public_portal
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.errors import NotForPublicPortalError, WrongIssuerError
from gateway.lifecycle.statuses import Status, all_statuses
from tests.lifecycle.official_cdar import assert_passes
from tests.lifecycle.test_lifecycle_building import AMOUNTS, BUYER, SELLER, built

#: Who sets a status, under the role of the message (UNCL 3035).
ISSUERS = {
    "seller_platform": platform(),
    "buyer_platform": platform(),
    "platform": platform(),
    "seller": SELLER,
    "buyer": BUYER,
    "approver": company("732829320", "AB", "Maîtrise d’œuvre"),
    "factor": company("775665019", "DL", "Affactureur"),
}
RECIPIENTS = {
    "the seller": [SELLER],
    "the buyer": [BUYER],
    "both": [SELLER, BUYER],
    "a factor": [company("775665019", "DL", "Affactureur", "775665019")],
    "the portal": [public_portal()],
}
KINDS = [
    (status, by, to) for status in all_statuses() for by in status.set_by for to in RECIPIENTS if by != "public_portal"
]


def message(status: Status, by: str, to: str):
    amounts = (bank_account("FR7630006000011234567890189"),) if status.code == "227" else AMOUNTS.get(status.code, ())
    return built(
        status.code,
        issuer=ISSUERS[by],
        recipients=RECIPIENTS[to],
        amounts=amounts,
        sending_platform="0042" if to == "the portal" else "",
    )


@pytest.mark.parametrize(("status", "by", "to"), KINDS, ids=lambda each: getattr(each, "code", each))
def test_a_status_is_written_and_read_back_by_the_official_rules_or_is_not_for_the_portal(
    status: Status, by: str, to: str
) -> None:
    if to == "the portal" and not status.to_ppf:
        with pytest.raises(NotForPublicPortalError):
            message(status, by, to)
        return
    made = message(status, by, to)
    data = write_cdar(made)
    assert_passes(data)
    assert read_cdar(data) == made


@pytest.mark.parametrize("code", [each.code for each in all_statuses() if each.set_by == ("public_portal",)])
def test_what_the_portal_alone_sets_is_not_ours_to_write(code: str) -> None:
    for issuer in (platform(), SELLER, BUYER):
        with pytest.raises(WrongIssuerError, match="The public portal alone sets it"):
            built(code, issuer=issuer)
