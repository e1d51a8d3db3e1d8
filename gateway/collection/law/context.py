"""What the routes and jobs of this room work with."""

from dataclasses import dataclass, field

from gateway.collection.law.changes import Looks
from gateway.collection.law.statute import Statute, statute
from gateway.collection.law.watching import ReadStart, start_reader
from gateway.database.engine import Database
from gateway.invoices.limits import ReadingLimits
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings
from gateway.ledger.documents import DocumentStore
from gateway.ledger.signing import KEY_FILE, SigningKey, load_key
from gateway.notifications.service import Channels, channels_of


@dataclass(frozen=True, slots=True)
class LawContext:
    """The parts of the service that this room works with; `looks`: what of the claims was counted again already."""

    database: Database
    store: DocumentStore
    clock: Clock
    settings: Settings
    limits: ReadingLimits
    looks: Looks = field(default_factory=Looks)

    def __post_init__(self) -> None:
        """A wrong file is told at the start. Raises LawFileError."""
        statute(self.settings.law_file)

    @property
    def law(self) -> Statute:
        """The law as this installation has it."""
        return statute(self.settings.law_file)

    @property
    def read_start(self) -> ReadStart:
        """Reads where the limitation of an invoice begins."""
        return start_reader(self.store, self.limits)

    @property
    def key(self) -> SigningKey:
        """The key that signs evidence. Raises LedgerKeyError."""
        return load_key(self.settings.ledger_key_file or self.settings.data_dir / KEY_FILE)

    @property
    def channels(self) -> Channels:
        """How people are told of alerts."""
        return channels_of(self.settings)
