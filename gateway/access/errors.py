"""What can go wrong with access, said to whoever typed it, called it or runs the command."""

from datetime import timedelta
from math import ceil
from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class InvalidSirenError(GatewayError):
    """Nine digits with a wrong key, or not nine digits."""

    code: ClassVar[str] = "INVALID_SIREN"
    status: ClassVar[int] = 422

    def __init__(self, siren: str) -> None:
        super().__init__(
            Text(f"« {siren} » n’est pas un SIREN.", f"'{siren}' is not a SIREN."),
            Text("Donnez les neuf chiffres sans espace.", "Give its nine digits without spaces."),
            "siren",
        )


class InvalidSiretError(GatewayError):
    """Not a SIRET, or the SIRET of another company."""

    code: ClassVar[str] = "INVALID_SIRET"
    status: ClassVar[int] = 422

    def __init__(self, siret: str, siren: str) -> None:
        super().__init__(
            Text(f"« {siret} » n’est pas un SIRET de l’entreprise {siren}.", f"'{siret}' is no SIRET of {siren}."),
            Text(
                f"Donnez les quatorze chiffres, qui commencent par {siren}.",
                f"Give its fourteen digits, which begin with {siren}.",
            ),
            "siret",
        )


class InvalidEmailError(GatewayError):
    """Not an e-mail address."""

    code: ClassVar[str] = "INVALID_EMAIL"
    status: ClassVar[int] = 422

    def __init__(self, email: str) -> None:
        super().__init__(
            Text(f"« {email} » n’est pas une adresse e-mail.", f"'{email}' is not an e-mail address."),
            Text("Donnez une adresse comme nom@exemple.fr.", "Give an address such as name@example.com."),
            "email",
        )


class WeakPasswordError(GatewayError):
    """The password is too short, or says the person's own address."""

    code: ClassVar[str] = "WEAK_PASSWORD"
    status: ClassVar[int] = 422

    def __init__(self, minimum: int) -> None:
        super().__init__(
            Text("Ce mot de passe est trop facile à deviner.", "This password is too easy to guess."),
            Text(
                f"Prenez au moins {minimum} caractères, sans reprendre l’adresse e-mail.",
                f"Use at least {minimum} characters, and not the e-mail address.",
            ),
            "password",
        )


class AlreadyExistsError(GatewayError):
    """An organisation, an agency or a user of that identifier exists already."""

    code: ClassVar[str] = "ALREADY_EXISTS"
    status: ClassVar[int] = 409

    def __init__(self, identifier: str) -> None:
        super().__init__(
            Text(f"{identifier} existe déjà.", f"{identifier} exists already."),
            Text("Utilisez l’existant ou un autre identifiant.", "Use the existing one or another identifier."),
            identifier,
        )


class UnknownOrganisationError(GatewayError):
    """No organisation has this SIREN, or none was named where there is not exactly one."""

    code: ClassVar[str] = "UNKNOWN_ORGANISATION"
    status: ClassVar[int] = 404

    def __init__(self, siren: str | None) -> None:
        what = (
            Text(f"Aucune organisation n’a le SIREN {siren}.", f"No organisation has the SIREN {siren}.")
            if siren
            else Text(
                "Il faut nommer l’organisation : il n’y en a pas exactement une.",
                "The organisation must be named: there is not exactly one.",
            )
        )
        super().__init__(
            what,
            Text(
                "Donnez --organisation SIREN, ou créez-la : gateway organisations add SIREN NOM.",
                "Give --organisation SIREN, or create it: gateway organisations add SIREN NAME.",
            ),
            "organisation",
        )


class UnknownAgencyError(GatewayError):
    """The organisation has no agency of this SIRET."""

    code: ClassVar[str] = "UNKNOWN_AGENCY"
    status: ClassVar[int] = 404

    def __init__(self, siret: str) -> None:
        super().__init__(
            Text(f"Aucune agence n’a le SIRET {siret}.", f"No agency has the SIRET {siret}."),
            Text("Créez-la d’abord : gateway agencies add.", "Create it first: gateway agencies add."),
            "agency",
        )


class UnknownUserError(GatewayError):
    """No person has this e-mail address."""

    code: ClassVar[str] = "UNKNOWN_USER"
    status: ClassVar[int] = 404

    def __init__(self, email: str) -> None:
        super().__init__(
            Text(f"Personne n’a l’adresse {email}.", f"Nobody has the address {email}."),
            Text("Vérifiez l’adresse.", "Check the address."),
            "email",
        )


class InvalidCredentialsError(GatewayError):
    """Unknown address, wrong password or deactivated person: the answer is the same for all three."""

    code: ClassVar[str] = "INVALID_CREDENTIALS"
    status: ClassVar[int] = 401

    def __init__(self) -> None:
        super().__init__(
            Text("Adresse e-mail ou mot de passe incorrect.", "Wrong e-mail address or password."),
            Text("Vérifiez les deux et recommencez.", "Check both and try again."),
        )


class TooManyAttemptsError(GatewayError):
    """Too many failed sign-ins for this e-mail address or from this network address."""

    code: ClassVar[str] = "TOO_MANY_ATTEMPTS"
    status: ClassVar[int] = 429

    def __init__(self, window: timedelta) -> None:
        minutes = int(window.total_seconds() // 60)
        super().__init__(
            Text("Trop de tentatives de connexion.", "Too many sign-in attempts."),
            Text(f"Réessayez dans {minutes} minutes au plus.", f"Try again within {minutes} minutes."),
        )
        self.retry_after = window


class PermissionDeniedError(GatewayError):
    """The person's role does not allow this."""

    code: ClassVar[str] = "PERMISSION_DENIED"
    status: ClassVar[int] = 403

    def __init__(self) -> None:
        super().__init__(
            Text("Votre rôle ne permet pas cette opération.", "Your role does not allow this."),
            Text("Demandez-la à un administrateur.", "Ask an administrator for it."),
        )


class InvalidClientError(GatewayError):
    """Unknown API client, wrong secret or deactivated client (RFC 6749, 5.2: invalid_client)."""

    code: ClassVar[str] = "INVALID_CLIENT"
    status: ClassVar[int] = 401

    def __init__(self) -> None:
        super().__init__(
            Text("Client d’API inconnu ou secret incorrect.", "Unknown API client or wrong secret."),
            Text(
                "Vérifiez l’identifiant et le secret donnés par gateway clients add.",
                "Check the identifier and the secret that gateway clients add gave.",
            ),
        )


class InvalidScopeError(GatewayError):
    """A scope that does not exist, or that the client does not hold (RFC 6749, 5.2: invalid_scope)."""

    code: ClassVar[str] = "INVALID_SCOPE"
    status: ClassVar[int] = 400

    def __init__(self, wrong: str, allowed: str) -> None:
        super().__init__(
            Text(f"Portée refusée : {wrong}.", f"Scope refused: {wrong}."),
            Text(f"Portées possibles : {allowed}.", f"Possible scopes: {allowed}."),
            "scope",
        )


class InvalidTokenError(GatewayError):
    """No bearer token, or one that is forged, expired or of a revoked client (RFC 6750, 3.1)."""

    code: ClassVar[str] = "INVALID_TOKEN"
    status: ClassVar[int] = 401

    def __init__(self) -> None:
        super().__init__(
            Text("Jeton d’accès absent, invalide ou expiré.", "Access token absent, invalid or expired."),
            Text("Demandez un jeton à POST /oauth2/token.", "Ask POST /oauth2/token for a token."),
            "Authorization",
        )


class TooManyRequestsError(GatewayError):
    """The program sends more requests than its limit allows; `retry_after` says how long to wait."""

    code: ClassVar[str] = "TOO_MANY_REQUESTS"
    status: ClassVar[int] = 429

    def __init__(self, retry_after: timedelta) -> None:
        seconds = ceil(retry_after.total_seconds())
        super().__init__(
            Text("Trop de requêtes.", "Too many requests."),
            Text(f"Réessayez dans {seconds} s.", f"Try again in {seconds} s."),
        )
        self.retry_after = retry_after


class ForeignOrganisationError(GatewayError):
    """Organization-Id names an organisation that the caller does not act for."""

    code: ClassVar[str] = "FORBIDDEN_ACCESS"
    status: ClassVar[int] = 403

    def __init__(self) -> None:
        super().__init__(
            Text("Ce client n’agit pas pour cette organisation.", "This client does not act for that organisation."),
            Text(
                "Retirez l’en-tête, ou utilisez un client qui agit pour elle : gateway clients add --organisation.",
                "Leave the header out, or use a client that acts for it: gateway clients add --organisation.",
            ),
            "Organization-Id",
        )


class UnknownClientError(GatewayError):
    """No API client has this identifier, or it is revoked."""

    code: ClassVar[str] = "UNKNOWN_CLIENT"
    status: ClassVar[int] = 404

    def __init__(self, client_id: str) -> None:
        super().__init__(
            Text(f"Aucun client d’API actif n’a l’identifiant {client_id}.", f"No active API client is {client_id}."),
            Text("Voir gateway clients list.", "See gateway clients list."),
            "client_id",
        )


class UnlimitableScopeError(GatewayError):
    """A program limited to agencies asks for scopes whose routes show the whole organisation."""

    code: ClassVar[str] = "UNLIMITABLE_SCOPE"
    status: ClassVar[int] = 422

    def __init__(self, scopes: str) -> None:
        super().__init__(
            Text(
                f"Ces portées montrent toute l’organisation : {scopes}.",
                f"These scopes show the whole organisation: {scopes}.",
            ),
            Text(
                "Un client limité à des agences ne peut pas les avoir : retirez-les, ou la limite.",
                "A client limited to agencies cannot hold them: leave them out, or the limit.",
            ),
            "scope",
        )


class UnreadableSigningKeyError(GatewayError):
    """The key that signs access tokens was encrypted with another secret than the one set now."""

    code: ClassVar[str] = "UNREADABLE_SIGNING_KEY"
    status: ClassVar[int] = 503

    def __init__(self, kid: str) -> None:
        super().__init__(
            Text(
                f"La clé de signature {kid} ne se déchiffre pas avec le secret réglé.",
                f"The signing key {kid} cannot be decrypted with the secret that is set.",
            ),
            Text(
                "Remettez le secret d’avant, ou faites une clé neuve : gateway clients keys rotate.",
                "Set the earlier secret again, or make a new key: gateway clients keys rotate.",
            ),
            "GATEWAY_SIGNING_KEY_SECRET",
        )


class MissingScopeError(GatewayError):
    """The token is good but does not hold the scope that the route asks for (RFC 6750, 3.1)."""

    code: ClassVar[str] = "INSUFFICIENT_SCOPE"
    status: ClassVar[int] = 403

    def __init__(self, scope: str) -> None:
        super().__init__(
            Text(f"Le jeton n’a pas la portée {scope}.", f"The token does not hold the scope {scope}."),
            Text(
                f"Demandez un tel jeton avec un client qui y a droit : gateway clients add --scope {scope}.",
                f"Ask for a token with that scope, of a client that may have it: gateway clients add --scope {scope}.",
            ),
            "Authorization",
        )
