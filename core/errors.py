"""The errors that a client may be told, as exceptions.

Code raises an error, and no code on the way catches it: `core.rest.envelope` turns the error into an HTTP answer, and
`attendance.live.events` turns it into an `ERROR` frame. Dialects translate by `code`, never by `message`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

#: The key of a WSGI request's environment under which the server has left an error that answers the request.
REFUSAL = "attendance.refusal"


class ApiError(Exception):
    """An error that the client may see. `code` is for programs, `message` for people; `status` is HTTP's."""

    code: ClassVar[str]
    status: ClassVar[int]
    message: ClassVar[str]

    def __str__(self) -> str:
        return self.message


class InvalidSchema(ApiError):
    """`fields`: what is wrong, by the name of the field; `marks.1.status` is the status of the second of `marks`."""

    code, status, message = "invalid_schema", 400, "Invalid request schema"

    def __init__(self, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__()
        self.fields = dict(fields or {})


class InTheFuture(ApiError):
    code, status, message = "in_the_future", 400, "The time lies in the future"


class BadRequest(ApiError):
    """The request is not proper HTTP: its `Host` is malformed, say."""

    code, status, message = "bad_request", 400, "Bad request"


class EmailTaken(ApiError):
    code, status, message = "email_taken", 400, "Email already exists"


class RollNumberTaken(ApiError):
    code, status, message = "roll_number_taken", 400, "Roll number already exists"


class SignupRefused(ApiError):
    """The school's policy (SIGNUP) has no room for this account."""

    code, status, message = "signup_refused", 403, "Forbidden, sign-up refused"


class SignupForStudentsOnly(SignupRefused):
    code, message = "signup_students_only", "Forbidden, only students can sign up"


class SignupForSchoolOnly(SignupRefused):
    code, message = "signup_school_only", "Forbidden, sign-up needs an email address of the school"


class InvitationNeeded(SignupRefused):
    code, message = "invitation_needed", "Forbidden, sign-up needs an invitation"


class SignupClosed(SignupRefused):
    code, message = "signup_closed", "Forbidden, sign-up is closed"


class InvalidInvitation(ApiError):
    """An invitation that does not exist, was used or withdrawn, is too old, or is for another address."""

    code, status, message = "invalid_invitation", 400, "Invalid or expired invitation"


class AddressNotProved(ApiError):
    """Somebody signed up with the address and has not shown that its mailbox is theirs."""

    code, status, message = "address_not_proved", 409, "Student has not confirmed the email address yet"


class InvalidCredentials(ApiError):
    code, status, message = "invalid_credentials", 400, "Invalid email or password"


class UnknownEmail(InvalidCredentials):
    """Nobody has this e-mail. Most protocols answer as they do to a wrong password."""

    code = "unknown_email"


class SchoolSignInRefused(ApiError):
    """The school's provider of accounts does not let the person in; its own reasons are in the log."""

    code, status, message = "school_sign_in_refused", 403, "The school's sign-in refused"


class SchoolSignInStale(SchoolSignInRefused):
    """An answer of the provider that belongs to no sign-in which this browser has begun, or that came too late."""

    code, status, message = "school_sign_in_stale", 400, "The school's sign-in was begun elsewhere or too long ago"


class SchoolSignInUnavailable(ApiError):
    """The provider does not answer, or answers what cannot be read."""

    code, status, message = "school_sign_in_unavailable", 503, "The school's sign-in cannot be reached"


class SchoolAddressUnproved(SchoolSignInRefused):
    """The provider does not say that the person's e-mail address is theirs."""

    code, message = "school_address_unproved", "The school's sign-in does not vouch for the e-mail address"


class NotOfSchool(SchoolSignInRefused):
    """The person has an account at the provider, and is in none of the domains and groups that may come."""

    code, message = "not_of_school", "This account may not sign in here"


class AccountDisabled(SchoolSignInRefused):
    code, message = "account_disabled", "The account is disabled"


class OtherSchoolAccount(SchoolSignInRefused):
    """Somebody else at the provider has signed in to the account that has this address."""

    code, message = "other_school_account", "The account belongs to another account of the school's sign-in"


class InvalidPassword(ApiError):
    """For protocols that tell a wrong password from an unknown account."""

    code, status, message = "invalid_password", 400, "Invalid password"


class NotRegistered(ApiError):
    """The account awaits its owner, who has not chosen a password yet."""

    code, status, message = "not_registered", 400, "Please do sign up first"


class AlreadyRegistered(ApiError):
    code, status, message = "already_registered", 409, "Already registered"


class WeakPassword(ApiError):
    """A new password that is too easy to guess (AUTH_PASSWORD_VALIDATORS)."""

    code, status = "weak_password", 400
    message = "Password too weak: at least 8 characters, and none of the common ones"


class InvalidCode(ApiError):
    """A one-time code that is wrong, too old, used, or was guessed at too often."""

    code, status, message = "invalid_code", 400, "Invalid or expired OTP"


class InvalidCard(ApiError):
    """A student's card that is void, or none at all."""

    code, status, message = "invalid_card", 400, "This card is not valid"


class AlreadyProved(ApiError):
    code, status, message = "already_proved", 409, "Email address is confirmed already"


class NoAddress(ApiError):
    """A mail is asked for, to somebody who has no e-mail."""

    code, status, message = "no_address", 409, "This account has no email address"


class NotVerified(ApiError):
    code, status, message = "not_verified", 409, "Please verify your email first"


class Unauthorized(ApiError):
    code, status, message = "unauthorized", 401, "Unauthorized, token missing or invalid"


class TokenMissing(Unauthorized):
    """There is no token at all."""

    code = "token_missing"


class UserGone(Unauthorized):
    """The token is good, but its user's account is deleted."""

    code = "user_gone"


class TeacherOnly(ApiError):
    code, status, message = "teacher_only", 403, "Forbidden, teacher access required"


class StudentOnly(ApiError):
    code, status, message = "student_only", 403, "Forbidden, student access required"


class OfficeOnly(ApiError):
    """A teacher asks for what the office does for this student."""

    code, status, message = "office_only", 403, "Forbidden, ask the office"


class SuperuserOnly(ApiError):
    code, status, message = "superuser_only", 403, "Forbidden, superuser access required"


class NotClassTeacher(ApiError):
    code, status, message = "not_class_teacher", 403, "Forbidden, not class teacher"


class NotEnrolled(ApiError):
    code, status, message = "not_enrolled", 403, "Forbidden, not enrolled in class"


class Forbidden(ApiError):
    code, status, message = "forbidden", 403, "Forbidden"


class NotFound(ApiError):
    code, status, message = "not_found", 404, "Not found"


class ClassNotFound(ApiError):
    code, status, message = "class_not_found", 404, "Class not found"


class UserNotFound(ApiError):
    code, status, message = "user_not_found", 404, "User not found"


class StudentNotFound(ApiError):
    code, status, message = "student_not_found", 404, "Student not found"


class ClassNameTaken(ApiError):
    code, status, message = "class_name_taken", 409, "Class already exists"


class AlreadyEnrolled(ApiError):
    code, status, message = "already_enrolled", 409, "Student already in class"


class TeacherNotFound(ApiError):
    code, status, message = "teacher_not_found", 404, "Teacher not found"


class WebhookNotFound(ApiError):
    code, status, message = "webhook_not_found", 404, "Webhook not found"


class HolidayNotFound(ApiError):
    code, status, message = "holiday_not_found", 404, "Holiday not found"


class RecordNotFound(ApiError):
    """No finished session has this id."""

    code, status, message = "record_not_found", 404, "Record not found"


class ExcuseNotFound(ApiError):
    code, status, message = "excuse_not_found", 404, "Excuse not found"


class ExcuseWithdrawn(ApiError):
    """The student has taken the excuse back: nobody decides on it any more."""

    code, status, message = "excuse_withdrawn", 409, "The excuse was withdrawn"


class RosterConflict(ApiError):
    code, status, message = "roster_conflict", 400, "A roll number or an email belongs to somebody else"


class PreviewNotFound(ApiError):
    """A file's preview that was done already, is more than an hour old, or is somebody else's."""

    code, status, message = "preview_not_found", 404, "Preview not found, send the file again"


class SessionNotFound(ApiError):
    code, status, message = "session_not_found", 404, "Session not found"


class TeachersOnly(ApiError):
    """Students of a class ask for what is its teachers' alone."""

    code, status, message = "teachers_only", 403, "Forbidden, for the teachers of the class only"


class OwnerOnly(ApiError):
    """A co-teacher asks for what is the owner's alone."""

    code, status, message = "owner_only", 403, "Forbidden, for the owner of the class only"


class ClassArchived(ApiError):
    code, status, message = "class_archived", 409, "Class is archived"


class ClassHasSessions(ApiError):
    """A class with sessions is archived, not deleted."""

    code, status, message = "class_has_sessions", 409, "Class has sessions, archive it instead"


class SessionNotEnded(ApiError):
    """A record is corrected that is not written yet."""

    code, status, message = "session_not_ended", 409, "Session has not ended"


class ReopenRefused(ApiError):
    """The session ended too long ago, or the class has had another since."""

    code, status, message = "reopen_refused", 409, "Session cannot be reopened"


class NothingToUndo(ApiError):
    code, status, message = "nothing_to_undo", 409, "Nothing to undo"


class TimeOutsideLesson(ApiError):
    """A mark's own time is before the session's start or after now."""

    code, status, message = "time_outside_lesson", 400, "Time outside of the lesson"


class KeyReused(ApiError):
    """A key that stands for one thing was sent for another."""

    code, status, message = "key_reused", 422, "Key was used for something else"


class InProgress(ApiError):
    """The first request of this key is still under way."""

    code, status, message = "in_progress", 409, "The same request is still under way"


class OutcomeUnknown(ApiError):
    """The first request of this key was begun, and its answer is lost: it may have been done or not."""

    code, status = "outcome_unknown", 409
    message = "The answer to this request is lost: see what was done, then use another key"


class Changed(ApiError):
    """What the client read (`If-Match`) is not what is there now."""

    code, status, message = "changed", 412, "Changed by somebody else in the meantime"


class StudentInSession(ApiError):
    """Accounts are not merged during a lesson."""

    code, status, message = "student_in_session", 409, "The student is in a session that is open"


class AlreadyMerged(ApiError):
    code, status, message = "already_merged", 409, "The account was merged into another one"


class MergedAgain(ApiError):
    """A later merge of one of the two accounts has to be undone first."""

    code, status, message = "merged_again", 409, "One of the accounts was merged again since"


class MergeNotFound(ApiError):
    """There is none, it was undone, or it is too old."""

    code, status, message = "merge_not_found", 404, "Merge not found"


class ErasureRefused(ApiError):
    """`reasons`: what stands against erasing the person now, in sentences."""

    code, status, message = "erasure_refused", 409, "The person cannot be erased now"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__()
        self.reasons = reasons


class MethodNotAllowed(ApiError):
    code, status, message = "method_not_allowed", 405, "Method not allowed"


class RequestTimeout(ApiError):
    code, status, message = "request_timeout", 408, "Request timeout"


class PayloadTooLarge(ApiError):
    code, status, message = "payload_too_large", 413, "Payload too large"


class UnsupportedMediaType(ApiError):
    code, status, message = "unsupported_media_type", 415, "Unsupported media type"


class TooManyRequests(ApiError):
    """`wait`: after so many seconds the same request may be taken. HTTP answers say so in `Retry-After`."""

    code, status, message = "too_many_requests", 429, "Too many requests"

    def __init__(self, wait: float = 1.0) -> None:
        super().__init__()
        #: Whole seconds, at least one.
        self.retry_after = max(1, math.ceil(wait))


class ServerFull(TooManyRequests):
    """The process has no room for another connection."""

    code, status, message = "server_full", 503, "Server is full"


class HeadersTooLarge(ApiError):
    code, status, message = "headers_too_large", 431, "Request headers too large"


class InternalError(ApiError):
    code, status, message = "internal_error", 500, "Internal server error"


class DatabaseUnavailable(ApiError):
    code, status, message = "database_unavailable", 503, "Database unavailable"


class DatabaseNotWritable(ApiError):
    """The database answers, and takes nothing: its disk is full, say."""

    code, status, message = "database_not_writable", 503, "Database cannot be written"


class NotReady(ApiError):
    code, status, message = "not_ready", 503, "Migrations missing, run manage.py migrate"


# Errors of the live session, in the words of the WebSocket contract.


class InvalidMessage(ApiError):
    code, status, message = "invalid_message", 400, "Invalid message format"


class UnknownEvent(ApiError):
    code, status, message = "unknown_event", 404, "Unknown event"


class TeacherEventOnly(ApiError):
    code, status, message = "teacher_event_only", 403, "Forbidden, teacher event only"


class StudentEventOnly(ApiError):
    code, status, message = "student_event_only", 403, "Forbidden, student event only"


class NoActiveSession(ApiError):
    code, status, message = "no_active_session", 409, "No active attendance session"


class StudentNotEnrolled(ApiError):
    code, status, message = "student_not_enrolled", 409, "Student not enrolled in class"


class JournalFull(ApiError):
    """The session has so many marks that it takes no more (`attendance.live.limits`)."""

    code, status, message = "journal_full", 409, "Too many marks in this session"


class SocketUnauthorized(ApiError):
    code, status, message = "socket_unauthorized", 401, "Unauthorized or invalid token"


# Errors of self check-in, the same for every protocol.


class WrongCode(ApiError):
    code, status, message = "wrong_code", 409, "Incorrect OTP"


class LocationMissing(ApiError):
    code, status, message = "location_missing", 409, "Location missing"


class CheckInClosed(ApiError):
    """The session's teacher has not opened check-in, or it is over."""

    code, status, message = "check_in_closed", 409, "Check-in is closed"


class ClaimExpired(ApiError):
    """A scan that is too old, or that somebody else has used."""

    code, status, message = "claim_expired", 409, "Scan the code again"


class PlaceVague(ApiError):
    code, status, message = "place_vague", 409, "Location not accurate enough"


class OtherNetwork(ApiError):
    code, status, message = "other_network", 409, "Not in an allowed network"


class OtherDevice(ApiError):
    """Somebody else has checked in from this device."""

    code, status, message = "other_device", 409, "Somebody else has checked in from this device"


class FlagNotFound(ApiError):
    code, status, message = "flag_not_found", 404, "Flag not found"


class OutOfRange(ApiError):
    code, status, message = "out_of_range", 409, "Location not within range"
