"""Self check-in: opened and closed, its code, scans, check-ins and flags."""

from typing import Any, ClassVar, cast

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.devices import KnowsDevice
from accounts.tokens import Claims
from attendance import check_in_rules, check_ins, kiosk
from attendance.access import session_for_teacher
from attendance.check_ins import Where
from attendance.class_settings import check_in_defaults
from core.errors import (
    CheckInClosed,
    ClaimExpired,
    FlagNotFound,
    LocationMissing,
    NoActiveSession,
    NotEnrolled,
    OtherDevice,
    OtherNetwork,
    OutOfRange,
    PlaceVague,
    StudentNotEnrolled,
    TooManyRequests,
    Unauthorized,
    WrongCode,
)
from core.rest.permissions import Audience
from dialects.v2.base import V2View
from dialects.v2.paging import FILTERS, page_of
from dialects.v2.serializers.check_in import (
    CheckInInput,
    CheckInOutput,
    ClaimInput,
    ClaimOutput,
    CodeOutput,
    DecisionInput,
    FlagOutput,
    KioskMarkInput,
    KioskMarkOutput,
    KioskOutput,
    SelfMarkInput,
    SelfMarkOutput,
    check_in_shown,
    options_of,
)
from dialects.v2.views.sessions import OF_A_SESSION

#: Why a check-in is refused.
REFUSALS = (
    CheckInClosed,
    NotEnrolled,
    WrongCode,
    ClaimExpired,
    OtherNetwork,
    LocationMissing,
    PlaceVague,
    OutOfRange,
    OtherDevice,
)


class CheckInOpen(V2View):
    """`PUT /api/v2/sessions/:id/check-in`: lets students mark themselves from now on, in this way."""

    audience = Audience.SIGNED_IN
    body = CheckInInput
    answers: ClassVar = {200: CheckInOutput}
    raises = (*OF_A_SESSION, NoActiveSession)

    def put(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        body = self.read()
        options = options_of(body, check_in_defaults(found.class_ref))
        rules = check_ins.check_in_open(session_id=found.id, options=options, until=body.get("until"))
        return Response(check_in_shown(rules, to_teacher=True))


class CheckInClose(V2View):
    """`DELETE /api/v2/sessions/:id/check-in`: nobody can mark themself any more."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {204: None}
    raises = (*OF_A_SESSION, NoActiveSession)

    def delete(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        check_ins.check_in_close(session_id=found.id)
        return Response(status=204)


class Code(V2View):
    """`GET /api/v2/sessions/:id/check-in/code`: the code as it is now, and the same as a QR code."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: CodeOutput}
    raises = (*OF_A_SESSION, CheckInClosed)

    def get(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        code = check_in_rules.code_now(found, site=request.build_absolute_uri("/"))
        return Response(CodeOutput.show(code))


class ClaimMake(V2View):
    """`POST /api/v2/check-in/claims`: exchanges a scan at once, so that signing in first does not cost the check-in."""

    audience = Audience.ANYONE
    body = ClaimInput
    answers: ClassVar = {201: ClaimOutput}
    raises = (CheckInClosed, WrongCode, TooManyRequests)

    def post(self, request: Request) -> Response:
        claim = check_ins.claim_make(address=self.address, **self.read())
        return Response(ClaimOutput.show(claim), status=201)


class SelfMark(KnowsDevice, V2View):
    """`POST /api/v2/check-in`: marks the student who asks; being in already is no error."""

    audience = Audience.STUDENT
    body = SelfMarkInput
    answers: ClassVar = {200: SelfMarkOutput}
    raises = (*REFUSALS, NoActiveSession, TooManyRequests)

    def post(self, request: Request) -> Response:
        body = self.read()
        device = self.device.known_id or f"token:{cast(Claims, request.auth).token_id}"
        where = Where(body.get("place"), device, self.address)
        if "claim" in body:
            done = check_ins.check_in_by_claim(actor=self.actor, claim=body["claim"], where=where)
        else:
            done = check_ins.check_in_by_code(actor=self.actor, code=body["code"], where=where)
        return Response(SelfMarkOutput.show(done))


class KioskOpen(V2View):
    """`POST /api/v2/sessions/:id/kiosk`: a key for a device at the door, which marks this session's students alone."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {201: KioskOutput}
    raises = (*OF_A_SESSION, NoActiveSession)
    keeps_answer = False  # it has a key

    def post(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        key, expires_at = kiosk.kiosk_open(actor=self.actor, session=found)
        return Response(KioskOutput.show({"key": key, "expires_at": expires_at}), status=201)


class KioskMark(V2View):
    """`POST /api/v2/kiosk/marks`: with a kiosk's key as the token, marks a student by roll number or card."""

    audience = Audience.ANYONE
    body = KioskMarkInput
    answers: ClassVar = {200: KioskMarkOutput}
    raises = (Unauthorized, NoActiveSession, StudentNotEnrolled, TooManyRequests)
    credential = "token"

    def post(self, request: Request) -> Response:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        done, name = kiosk.kiosk_mark(key=key, address=self.address, **self.read())
        return Response(KioskMarkOutput.show({"class_name": done.class_name, "name": name, "status": done.status}))


class FlagList(V2View):
    """`GET /api/v2/sessions/:id/flags`: check-ins that count and look wrong."""

    audience = Audience.SIGNED_IN
    filters = FILTERS
    answers: ClassVar = {200: page_of(FlagOutput)}
    raises = OF_A_SESSION

    def get(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)

        def show(flags: list[Any]) -> list[dict[str, Any]]:
            return FlagOutput.show_all(check_in_rules.flags_shown(flags))

        return self.page(check_in_rules.flags_listed(found.id), show)


class FlagDecide(V2View):
    """`POST /api/v2/sessions/:id/flags/:flagId`: confirms a check-in, or rejects it, which unmarks the student."""

    audience = Audience.SIGNED_IN
    body = DecisionInput
    answers: ClassVar = {200: FlagOutput}
    raises = (*OF_A_SESSION, FlagNotFound)

    def post(self, request: Request, session_id: str, flag_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        flag = check_ins.flag_decide(actor=self.actor, session_id=found.id, flag_id=flag_id, **self.read())
        (shown,) = check_in_rules.flags_shown([flag])
        return Response(FlagOutput.show(shown))
