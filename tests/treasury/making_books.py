"""FEC files for tests."""

HEADER = [
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
]


def row(journal, number, account, debit="", credit="", *, piece="", aux="", name="", day="20261001", letter="", on=""):
    """One line of a FEC, by column."""
    return {
        **dict.fromkeys(HEADER, ""),
        "JournalCode": journal,
        "JournalLib": journal,
        "EcritureNum": number,
        "EcritureDate": day,
        "CompteNum": account,
        "CompAuxNum": aux,
        "CompAuxLib": name,
        "PieceRef": piece,
        "PieceDate": day,
        "EcritureLib": f"{journal} {number}",
        "Debit": debit,
        "Credit": credit,
        "EcritureLet": letter,
        "DateLet": on,
        "ValidDate": day,
    }


def fec(*rows, separator="\t", header=HEADER):
    """A FEC with these lines."""
    lines = [separator.join(header), *(separator.join(each[title] for title in header) for each in rows)]
    return "\r\n".join(lines) + "\r\n"
