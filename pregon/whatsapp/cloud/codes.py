"""What each of Meta's error codes means for us: data, no logic.

Titles are Meta's own; sentences and steps are for people, in Spanish. Source: Meta's page "Cloud API error codes".
"""

from dataclasses import dataclass
from enum import StrEnum


def N_(message: str) -> str:  # noqa: N802 - the name that message extractors know
    """Mark a sentence for the catalogue without translating it: whoever shows it does."""
    return message


class Reaction(StrEnum):
    """What the sending side does with the message, from the mildest to the gravest."""

    RETRY = "retry"  # not sent: the same message again, after `wait`
    RETRY_PAIR = "retry_pair"  # not sent: the same, but only this person waits
    SLOW_DOWN = "slow_down"  # not sent: again, once the pace of the number is lower
    NEVER = "never"  # this message will not leave
    CONTACT = "contact"  # nor will others to this person, as long as the reason in `mark` lasts
    UNCONFIRMED = "unconfirmed"  # it may have left: never again by itself
    PAUSE_BROADCAST = "pause_broadcast"  # the other messages of the broadcast would fail alike
    STOP_NUMBER = "stop_number"  # whatever this number sends would fail alike
    REAUTHENTICATE = "reauthenticate"  # the same, until someone gives a new token


class Mark(StrEnum):
    """What an error tells about the person it was sent to."""

    NO_WHATSAPP = "no_whatsapp"  # or cannot receive; only repeated evidence counts
    WAIT_META = "wait_meta"  # Meta's cap of promotions per person: at least 24 hours
    OPTED_OUT = "opted_out"  # said no inside WhatsApp
    BLOCKED = "blocked"  # the business blocked the person: it alone can undo that
    BAD_NUMBER = "bad_number"  # not one that Meta writes to: somebody has to correct it


AGAIN = frozenset({Reaction.RETRY, Reaction.RETRY_PAIR, Reaction.SLOW_DOWN})
STOPS = frozenset({Reaction.STOP_NUMBER, Reaction.REAUTHENTICATE})
MENDABLE = AGAIN | STOPS  # once mended, a person may try the same message again


@dataclass(frozen=True, slots=True)
class Rule:
    """One code's meaning. `tries` counts sendings in all, `wait` is seconds before the second (it doubles after that)."""

    title: str
    reaction: Reaction
    sentence: str
    step: str
    tries: int = 1
    wait: float = 0.0
    mark: Mark | None = None
    mendable: bool | None = None

    @property
    def again(self) -> bool:
        """Whether the program itself may send the same message again."""
        return self.reaction in AGAIN

    @property
    def retry_can_help(self) -> bool:
        """Whether a person who tries again later may succeed."""
        return self.reaction in MENDABLE if self.mendable is None else self.mendable


NOTHING = N_("No tienes que hacer nada: lo volvemos a intentar")
TOKEN = N_("Conecta el número otra vez en Ajustes")
PERMISSION = N_("Revisa en Meta los permisos de la aplicación y vuelve a conectar el número en Ajustes")
META = N_("Entra a la cuenta de WhatsApp en Meta y sigue lo que pide")
TEMPLATE = N_("Corrige la plantilla o los datos de la promoción y envía otra vez")
CASE = N_("Repórtanos el problema: el caso lleva el código de Meta")
FIX_CONTACT = N_("Corrige el celular de este contacto")
LEAVE = N_("No vuelvas a enviarle este mensaje")
LATER = N_("Espera unos minutos y reintenta")
PIN = N_("Revisa el PIN de verificación en dos pasos del número")

_R = Reaction

# fmt: off
RULES: dict[int, Rule] = {
    # Graph API: https://developers.facebook.com/docs/graph-api/guides/error-handling
    0: Rule("AuthException", _R.REAUTHENTICATE, N_("Meta ya no reconoce la conexión de este número"), TOKEN),
    1: Rule("API Unknown", _R.RETRY, N_("Meta tuvo una falla que no explica"), LATER, tries=3, wait=5),
    2: Rule("API Service", _R.RETRY, N_("El servicio de Meta está caído por un momento"), NOTHING, tries=6, wait=4),
    3: Rule("API Method", _R.PAUSE_BROADCAST, N_("La aplicación no tiene permiso para enviar"), PERMISSION),
    4: Rule("API Too Many Calls", _R.SLOW_DOWN, N_("Hicimos demasiadas llamadas a Meta"), NOTHING, tries=8, wait=60),
    10: Rule("API Permission Denied", _R.STOP_NUMBER, N_("Meta quitó el permiso para usar este número"), PERMISSION),
    33: Rule("Parameter value is not valid", _R.STOP_NUMBER, N_("Meta dice que este número de empresa ya no existe"),
        TOKEN),
    100: Rule("Invalid parameter", _R.NEVER, N_("Meta no entendió un dato del mensaje"), CASE),
    190: Rule("Access token has expired", _R.REAUTHENTICATE, N_("El permiso de conexión con Meta venció"), TOKEN),
    200: Rule("API Permission", _R.STOP_NUMBER, N_("La aplicación no tiene acceso a esta cuenta de WhatsApp"),
        PERMISSION),
    368: Rule("Temporarily blocked for policies violations", _R.STOP_NUMBER,
        N_("Meta bloqueó la cuenta por un tiempo, por sus políticas"), META),
    613: Rule("Custom rate limit", _R.SLOW_DOWN, N_("Hicimos demasiadas llamadas a Meta"), NOTHING, tries=8, wait=60),
    803: Rule("Some of the aliases do not exist", _R.PAUSE_BROADCAST, N_("Meta no encuentra algo de lo que pedimos"),
        CASE),
    80007: Rule("Rate limit issues", _R.SLOW_DOWN, N_("La cuenta de WhatsApp llegó a su límite de llamadas por hora"),
        NOTHING, tries=8, wait=60),
    # Sending
    130403: Rule("Business has blocked the user", _R.CONTACT, N_("Tu negocio bloqueó a esta persona en WhatsApp"),
        N_("Desbloquéala en WhatsApp si quieres escribirle"), mark=Mark.BLOCKED),
    130429: Rule("Rate limit hit", _R.SLOW_DOWN, N_("Meta pidió ir más despacio"), NOTHING, tries=8, wait=1),
    130472: Rule("User's number is part of an experiment", _R.NEVER,
        N_("Meta no entregó el mensaje: esta persona está en una prueba de Meta"),
        N_("No la reintentes; Meta no te cobra este mensaje")),
    # Not for the whole number: the people of other countries still get theirs
    130497: Rule("Business account is restricted from messaging users in this country", _R.NEVER,
        N_("Meta no deja que tu cuenta escriba a ese país"), META),
    131000: Rule("Something went wrong", _R.UNCONFIRMED, N_("Salió, pero Meta contestó que algo falló"),
        N_("Esperamos a que Meta confirme. No lo reenviamos, para que nadie reciba dos veces lo mismo")),
    131005: Rule("Access denied", _R.STOP_NUMBER, N_("Meta negó el acceso a este número"), PERMISSION),
    131008: Rule("Required parameter is missing", _R.NEVER, N_("Al mensaje le falta un dato"), TEMPLATE),
    131009: Rule("Parameter value is not valid", _R.NEVER, N_("Un dato del mensaje no es válido para Meta"), TEMPLATE),
    131016: Rule("Service unavailable", _R.RETRY, N_("Un servicio de Meta no está disponible por un momento"),
        NOTHING, tries=6, wait=4),
    131020: Rule("Group error", _R.NEVER, N_("Meta no permite este mensaje a un grupo"), LEAVE),
    131021: Rule("Recipient cannot be sender", _R.CONTACT, N_("Este celular es el mismo número que envía"),
        FIX_CONTACT, mark=Mark.BAD_NUMBER),
    131026: Rule("Message undeliverable", _R.CONTACT,
        N_("Este celular no tiene WhatsApp, no aceptó sus condiciones o usa una versión muy vieja"),
        N_("Confirma el celular con la persona"), mark=Mark.NO_WHATSAPP),
    131030: Rule("Recipient phone number not in allowed list", _R.PAUSE_BROADCAST,
        N_("Este número es de prueba y solo escribe a los celulares de su lista"),
        N_("Agrega el celular a la lista en Meta o conecta un número real")),
    131031: Rule("Account has been locked", _R.STOP_NUMBER, N_("Meta cerró la cuenta de WhatsApp"), META),
    131037: Rule("Display name approval is needed", _R.STOP_NUMBER,
        N_("Meta aún no aprueba el nombre visible del número"), META),
    131041: Rule("Group error", _R.NEVER, N_("Meta no permite este mensaje a un grupo"), LEAVE),
    131042: Rule("Business eligibility payment issue", _R.STOP_NUMBER,
        N_("Hay un problema con el pago de la cuenta en Meta"), N_("Revisa la forma de pago en Meta y reintenta")),
    131044: Rule("Business eligibility payment issue (calling)", _R.NEVER,
        N_("Hay un problema con el pago de las llamadas en Meta"), META),
    131045: Rule("Incorrect certificate", _R.STOP_NUMBER, N_("El número no terminó de darse de alta en Meta"), TOKEN),
    131047: Rule("Re-engagement message", _R.NEVER, N_("Pasaron más de 24 horas desde su último mensaje"),
        N_("Escríbele con una plantilla aprobada")),
    131048: Rule("Spam rate limit hit", _R.STOP_NUMBER,
        N_("Meta frenó el número porque varias personas lo bloquearon o reportaron"),
        N_("Deja de enviar por hoy y revisa a quién le escribes")),
    131049: Rule("Not delivered to maintain healthy ecosystem engagement", _R.CONTACT,
        N_("Meta pidió esperar: esta persona ya recibió muchas promociones"),
        N_("Espera al menos 24 horas y reintenta"), mark=Mark.WAIT_META, mendable=True),
    131050: Rule("User has stopped receiving marketing messages", _R.CONTACT,
        N_("Esta persona pidió en WhatsApp no recibir tus promociones"),
        N_("Respeta su baja: solo ella puede volver"), mark=Mark.OPTED_OUT),
    131051: Rule("Unsupported message type", _R.NEVER, N_("Meta no acepta este tipo de mensaje"), TEMPLATE),
    131052: Rule("Media download error", _R.NEVER, N_("Meta no pudo descargar la imagen o el archivo"),
        N_("Sube el archivo otra vez y reintenta"), mendable=True),
    131053: Rule("Media upload error", _R.PAUSE_BROADCAST, N_("Meta no acepta la imagen o el archivo"),
        N_("Usa una imagen JPG o PNG de menos de 5 MB")),
    131055: Rule("Method not allowed", _R.PAUSE_BROADCAST,
        N_("Por esta vía Meta solo acepta plantillas de promoción"), CASE),
    131056: Rule("Pair rate limit hit", _R.RETRY_PAIR, N_("Le escribimos demasiado seguido a esta persona"), NOTHING,
        tries=6, wait=4),
    131057: Rule("Account in maintenance mode", _R.RETRY, N_("Meta está subiendo la velocidad del número"), NOTHING,
        tries=8, wait=60),
    131059: Rule("Invalid cursor", _R.NEVER, N_("La lista de Meta cambió mientras la leíamos"),
        N_("Actualiza la lista otra vez")),
    131061: Rule("Max price template", _R.PAUSE_BROADCAST, N_("Esta plantilla solo se envía por otra vía de Meta"),
        CASE),
    131062: Rule("Business-scoped user id not supported", _R.NEVER,
        N_("Este mensaje necesita el celular de la persona"), FIX_CONTACT),
    131063: Rule("Marketing templates disabled on Cloud API", _R.PAUSE_BROADCAST,
        N_("La cuenta tiene apagadas las promociones por esta vía de Meta"), META),
    131064: Rule("Messaging restricted by template category violations", _R.STOP_NUMBER,
        N_("Meta frenó la cuenta por plantillas con la categoría equivocada"), META),
    # Templates
    132000: Rule("Template param count mismatch", _R.PAUSE_BROADCAST, N_("La plantilla pide otra cantidad de datos"),
        TEMPLATE),
    132001: Rule("Template does not exist", _R.PAUSE_BROADCAST,
        N_("La plantilla no existe en ese idioma o no está aprobada"),
        N_("Actualiza tus plantillas y elige una aprobada")),
    132005: Rule("Template hydrated text too long", _R.NEVER,
        N_("Con los datos de esta persona el texto queda demasiado largo"), N_("Acorta el dato y reintenta")),
    132007: Rule("Template format character policy violated", _R.PAUSE_BROADCAST,
        N_("El texto de la plantilla no cumple las políticas de Meta"), TEMPLATE),
    132008: Rule("Template param value invalid", _R.NEVER,
        N_("Un dato de esta persona no es válido para la plantilla"), TEMPLATE),
    132012: Rule("Template parameter format mismatch", _R.PAUSE_BROADCAST,
        N_("Un dato no tiene la forma que pide la plantilla"), TEMPLATE),
    132015: Rule("Template is paused", _R.PAUSE_BROADCAST,
        N_("Meta pausó la plantilla porque no le gustó a la gente"),
        N_("Espera a que Meta la reactive o cambia el mensaje"), mendable=True),
    132016: Rule("Template is disabled", _R.PAUSE_BROADCAST, N_("Meta apagó la plantilla para siempre"),
        N_("Prepara otra plantilla")),
    132018: Rule("Problem with template parameters", _R.NEVER,
        N_("Un dato tiene saltos de línea, tabuladores o demasiados espacios"), TEMPLATE),
    132068: Rule("Flow is blocked", _R.PAUSE_BROADCAST, N_("Meta bloqueó el formulario del mensaje"), META),
    132069: Rule("Flow is throttled", _R.PAUSE_BROADCAST, N_("Meta limitó el formulario a 10 mensajes por hora"),
        META, mendable=True),
    # Registration
    133000: Rule("Incomplete deregistration", _R.STOP_NUMBER, N_("El número quedó dado de baja a medias en Meta"),
        N_("Dalo de baja y de alta otra vez en Meta")),
    133004: Rule("Server temporarily unavailable", _R.RETRY,
        N_("El servidor de Meta no está disponible por un momento"), NOTHING, tries=6, wait=4),
    133005: Rule("Two-step verification PIN mismatch", _R.STOP_NUMBER, N_("El PIN del número no coincide"), PIN),
    133006: Rule("Phone number re-verification needed", _R.STOP_NUMBER, N_("Meta pide verificar el número otra vez"),
        META),
    133008: Rule("Too many PIN guesses", _R.STOP_NUMBER, N_("Hubo demasiados intentos con el PIN"), PIN),
    133009: Rule("PIN guessed too fast", _R.STOP_NUMBER, N_("El PIN se intentó demasiado rápido"), PIN),
    133010: Rule("Phone number not registered", _R.STOP_NUMBER,
        N_("El número no está dado de alta en WhatsApp Business"), TOKEN),
    133015: Rule("Phone number was deleted recently", _R.STOP_NUMBER, N_("El número se borró hace muy poco"),
        N_("Espera 5 minutos y conéctalo otra vez")),
    133016: Rule("Register or deregister limit", _R.STOP_NUMBER,
        N_("El número se dio de alta y de baja demasiadas veces"), N_("Espera 72 horas")),
    134011: Rule("Payments terms not accepted", _R.PAUSE_BROADCAST,
        N_("Falta aceptar las condiciones de pagos de WhatsApp"), META),
    134100: Rule("Only marketing messages", _R.PAUSE_BROADCAST, N_("Por esta vía Meta solo acepta promociones"), CASE),
    134101: Rule("Template still syncing", _R.RETRY, N_("Meta todavía prepara la plantilla"), NOTHING, tries=5,
        wait=120),
    134102: Rule("Template unavailable", _R.PAUSE_BROADCAST,
        N_("La plantilla no está disponible por esta vía de Meta"), TEMPLATE),
    135000: Rule("Generic user error", _R.NEVER, N_("Meta no aceptó el mensaje y no dice por qué"), CASE),
    137000: Rule("Identity key hash mismatch", _R.CONTACT, N_("Parece que el celular cambió de dueño"), FIX_CONTACT,
        mark=Mark.BAD_NUMBER),
    # Not about sending, but Meta may say them; those of 141… stand in the health of an account or a template
    138000: Rule("Calling error", _R.NEVER, N_("Meta no permite esta llamada"), CASE),
    139000: Rule("Flow or block error", _R.NEVER, N_("Meta no pudo con el formulario o el bloqueo"), CASE),
    141000: Rule("Health of the account", _R.NEVER, N_("Meta señala un problema en la cuenta de WhatsApp"), META),
    141002: Rule("Template not approved", _R.PAUSE_BROADCAST, N_("La plantilla no está aprobada"), TEMPLATE),
    141006: Rule("Payment problem", _R.STOP_NUMBER, N_("Hay un problema con el pago de la cuenta en Meta"), META),
    141010: Rule("Business not verified", _R.STOP_NUMBER, N_("Meta aún no verifica tu negocio"), META),
    141014: Rule("WhatsApp business account banned", _R.STOP_NUMBER, N_("Meta vetó la cuenta de WhatsApp"), META),
    147001: Rule("Username error", _R.NEVER, N_("Meta no aceptó el nombre de cuenta del negocio"), META),
    200005: Rule("Template insights not available", _R.NEVER, N_("Meta no tiene estadísticas de la plantilla"), LATER),
    200006: Rule("Template insights cannot be disabled", _R.NEVER,
        N_("Las estadísticas de plantillas ya no se pueden apagar"), CASE),
    200007: Rule("Template insights not enabled", _R.NEVER, N_("Las estadísticas de plantillas están apagadas"), META),
    1752041: Rule("Duplicate onboarding request", _R.NEVER, N_("Esta solicitud ya se había hecho"),
        N_("No tienes que hacer nada")),
    2494100: Rule("Phone number in maintenance mode", _R.RETRY, N_("Meta está dando mantenimiento al número"),
        NOTHING, tries=8, wait=60),
}

# Ranges that Meta documents as one: (first, last) → the code above that speaks for them
RANGES: tuple[tuple[int, int, int], ...] = (
    (200, 299, 200), (131200, 131299, 131020), (138000, 138999, 138000), (139000, 139999, 139000),
    (141000, 141999, 141000), (147001, 147005, 147001),
)

# A subcode that says more than its code
SUBCODES: dict[tuple[int, int], Rule] = {
    (190, 460): Rule("Password changed", _R.REAUTHENTICATE, N_("Cambió la contraseña de quien conectó este número con Meta"),
        TOKEN),
    (190, 467): Rule("Access token invalidated", _R.REAUTHENTICATE, N_("Meta anuló el permiso de conexión"), TOKEN),
    (100, 33): Rule("Object does not exist", _R.STOP_NUMBER, N_("Meta no encuentra este número o no nos deja verlo"),
        PERMISSION),
    (131009, 2494010): Rule("Malformed phone number", _R.CONTACT, N_("Meta no reconoce este celular"), FIX_CONTACT,
        mark=Mark.BAD_NUMBER),
    (100, 2388019): Rule("Template limit", _R.NEVER, N_("La cuenta ya tiene todas las plantillas que Meta permite"),
        N_("Borra en Meta las que no uses")),
    (100, 2388023): Rule("Name in deletion", _R.NEVER, N_("Ese nombre de plantilla se borró hace menos de 30 días"),
        N_("Usa otro nombre")),
    (100, 2388024): Rule("Content in this language already exists", _R.NEVER,
        N_("Ya hay una plantilla con ese nombre en ese idioma"), N_("Usa otro nombre")),
    (100, 2388039): Rule("Status cannot be changed", _R.NEVER, N_("Meta no deja editar la plantilla en este momento"),
        LATER),
    (100, 2388040): Rule("Too many characters", _R.NEVER, N_("El texto de la plantilla es demasiado largo"),
        N_("Acorta el detalle")),
    (100, 2388047): Rule("Header format is wrong", _R.NEVER, N_("El asunto no tiene la forma que pide Meta"),
        N_("Quita emojis, formato y saltos de línea del asunto")),
    (100, 2388072): Rule("Body format is wrong", _R.NEVER, N_("El detalle no tiene la forma que pide Meta"),
        N_("Separa las variables con palabras")),
    (100, 2388073): Rule("Footer format is wrong", _R.NEVER, N_("El pie no tiene la forma que pide Meta"),
        N_("Quita variables y formato del pie")),
    (100, 2388293): Rule("Too many parameters for its length", _R.NEVER,
        N_("El detalle tiene demasiadas variables para tan pocas palabras"), N_("Agrega texto o quita variables")),
    (100, 2388299): Rule("Leading or trailing parameter", _R.NEVER,
        N_("El detalle no puede empezar ni terminar con una variable"), N_("Agrega una palabra antes o después")),
}

# fmt: on

UNKNOWN = Rule("Unknown code", _R.NEVER, N_("Meta rechazó el mensaje con un código que no conocemos"), CASE)
UNKNOWN_CRASH = Rule(
    "Unknown server error",
    _R.UNCONFIRMED,
    N_("Salió, pero Meta contestó que algo falló"),
    N_("Esperamos a que Meta confirme. No lo reenviamos, para que nadie reciba dos veces lo mismo"),
)
