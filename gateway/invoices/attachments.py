"""Supporting documents (BG-24), decoded within the limits."""

from base64 import b64decode
from collections.abc import Sequence

from lxml import etree

from gateway.invoices.dialects import Dialect
from gateway.invoices.errors import AttachmentTooLargeError, InvalidAttachmentError, TooManyAttachmentsError, place
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.mapping import PartReader
from gateway.invoices.model import Attachment
from gateway.invoices.xml import line_of

#: Base64 writes three bytes as four characters.
BYTES_PER_GROUP, CHARACTERS_PER_GROUP = 3, 4


def read_attachments(
    references: Sequence[etree._Element],
    reader: PartReader[Attachment],
    dialect: Dialect,
    content_path: str,
    limits: ReadingLimits,
) -> list[Attachment]:
    """One Attachment for each of `references`; `content_path` leads from a reference to its base64 content.

    Raises TooManyAttachmentsError, AttachmentTooLargeError, InvalidAttachmentError.
    """
    if len(references) > limits.max_attachments:
        where = f"BG-24, {place(line_of(references[limits.max_attachments]))}"
        raise TooManyAttachmentsError(limits.max_attachments, where)
    attachments = []
    for reference in references:
        values = reader.values(reference)
        embedded = dialect.find(reference, content_path)
        if embedded is not None:
            values["content"] = _decoded(embedded, limits.max_attachment_bytes)
        attachments.append(Attachment(**values))
    return attachments


def _decoded(element: etree._Element, max_bytes: int) -> bytes | None:
    encoded = "".join((element.text or "").split())
    if not encoded:
        return None
    # Before decoding, so that an attachment far too large costs no memory; padding makes it a few bytes generous.
    if len(encoded) // CHARACTERS_PER_GROUP * BYTES_PER_GROUP >= max_bytes + BYTES_PER_GROUP:
        raise AttachmentTooLargeError(max_bytes, line_of(element))
    try:
        content = b64decode(encoded, validate=True)
    except ValueError as error:
        raise InvalidAttachmentError(encoded, line_of(element)) from error
    if len(content) > max_bytes:
        raise AttachmentTooLargeError(max_bytes, line_of(element))
    return content
