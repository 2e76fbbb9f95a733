"""The project's errors in words for people: what is wrong, and what to do."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core import errors
from core.identity import Actor, Role

#: The `code` of an error → its sentence. An error that is not here has its own message, which is English.
SENTENCES: dict[str, Any] = {
    errors.InvalidSchema.code: _("Something in the form is not as it should be."),
    errors.BadRequest.code: _("The browser sent something that cannot be read. Please go back and try again."),
    errors.EmailTaken.code: _("Somebody has an account with this address already."),
    errors.SignupForStudentsOnly.code: _("Only students can make an account by themselves. Ask your school."),
    errors.SignupForSchoolOnly.code: _("Please use your school's e-mail address."),
    errors.InvitationNeeded.code: _("You need an invitation. Ask your school for one."),
    errors.SignupClosed.code: _("Nobody can make an account by themselves here. Ask your school."),
    errors.InvalidInvitation.code: _("The invitation is not good any more. Ask your school for a new one."),
    errors.AddressNotProved.code: _(
        "This student has not confirmed the e-mail address yet. They are enrolled as soon as they have."
    ),
    errors.InvalidCredentials.code: _("The e-mail or roll number, or the password, is not right."),
    errors.SchoolSignInRefused.code: _("Your school's sign-in did not let you in. Ask your school."),
    errors.SchoolSignInStale.code: _("That sign-in was begun in another window, or too long ago. Please start again."),
    errors.SchoolSignInUnavailable.code: _(
        "Your school's sign-in cannot be reached at the moment. Try again in a minute, or sign in with a password here."
    ),
    errors.SchoolAddressUnproved.code: _(
        "Your school's sign-in does not say that your e-mail address is yours, so that you cannot come in with it."
        " Ask your school."
    ),
    errors.NotOfSchool.code: _("This account is not one of those that may come in here. Use your school's."),
    errors.AccountDisabled.code: _("Your account here is switched off. Ask your school."),
    errors.OtherSchoolAccount.code: _(
        "Your address belonged to another account of your school's before. Ask the office to sort it out."
    ),
    errors.InvalidPassword.code: _("The password is not right."),
    errors.WeakPassword.code: _(
        "The password is too easy to guess: at least 8 characters, and none of the common ones."
    ),
    errors.InvalidCode.code: _("The code is not right, or too old."),
    errors.AlreadyProved.code: _("Your address is confirmed already."),
    errors.Unauthorized.code: _("Please sign in again."),
    errors.TeacherOnly.code: _("This is for teachers."),
    errors.StudentOnly.code: _("This is for students."),
    errors.SuperuserOnly.code: _("This is for the school's office."),
    errors.NotClassTeacher.code: _("This class is another teacher's."),
    errors.NotEnrolled.code: _("You are not in this class."),
    errors.Forbidden.code: _("You may not do this."),
    errors.NotFound.code: _("There is nothing at this address. The link may be old, or mistyped."),
    errors.ClassNotFound.code: _("There is no such class, or it is not yours. It may have been removed."),
    errors.UserNotFound.code: _("There is no such person."),
    errors.StudentNotFound.code: _("There is no such student."),
    errors.TeacherNotFound.code: _("There is no such teacher."),
    errors.ClassNameTaken.code: _("You have a class of this name already."),
    errors.AlreadyEnrolled.code: _("This student is in the class already."),
    errors.RecordNotFound.code: _("There is no such lesson. It may have been removed."),
    errors.NoActiveSession.code: _("This lesson is over."),
    errors.SessionNotFound.code: _("There is no such lesson, or it is not yours. It may have been removed."),
    errors.SessionNotEnded.code: _("This lesson is still under way: mark the student instead."),
    errors.ReopenRefused.code: _(
        "This lesson cannot be opened again: it ended more than a day ago, or the class has had another one since."
    ),
    errors.NothingToUndo.code: _("There is nothing to undo."),
    errors.TeachersOnly.code: _("This is for the teachers of the class."),
    errors.OwnerOnly.code: _("Only the teacher whose class it is may do this."),
    errors.RosterConflict.code: _("A row of the file contradicts what is known here, so that nothing was written."),
    errors.ClassArchived.code: _("The class is in the archive. Take it back from there first."),
    errors.ClassHasSessions.code: _("The class has had lessons, so that it cannot be removed. Archive it instead."),
    errors.Changed.code: _("Somebody else has changed this meanwhile. Look at it again."),
    errors.TimeOutsideLesson.code: _("That time is outside of the lesson."),
    errors.StudentNotEnrolled.code: _("You are not in this class. Ask your teacher to put you on the list."),
    errors.JournalFull.code: _("This lesson has so many marks that it takes no more."),
    errors.ExcuseNotFound.code: _("There is no such excuse, or it is not yours to see."),
    errors.ExcuseWithdrawn.code: _("You have withdrawn this excuse already."),
    errors.CheckInClosed.code: _("The check-in is not open. Ask your teacher."),
    errors.WrongCode.code: _("This code is not right, or no longer. Take the one that is shown now."),
    errors.ClaimExpired.code: _("That was too long ago. Scan the code once more."),
    errors.LocationMissing.code: _("Your teacher asks where you are, because only people in the room check in."),
    errors.PlaceVague.code: _("Your device is not sure where it is. Try once more."),
    errors.OutOfRange.code: _("You seem to be too far away. Ask your teacher: they can mark you."),
    errors.OtherNetwork.code: _("Use the school's network, or ask your teacher."),
    errors.OtherDevice.code: _("Somebody else has checked in on this device. Ask your teacher: they can mark you."),
    errors.FlagNotFound.code: _("There is nothing to decide here. It may have been decided."),
    errors.InvalidCard.code: _("This card is not good, or not any more. Ask your teacher for a new one."),
    errors.RollNumberTaken.code: _("Somebody has this roll number already."),
    errors.OfficeOnly.code: _("Only the school's office may do this. Ask there."),
    errors.HolidayNotFound.code: _("There is no such holiday."),
    errors.PreviewNotFound.code: _("Choose the file once more."),
    errors.AlreadyMerged.code: _("This account was joined with another one."),
    errors.MergedAgain.code: _("One of the two accounts was joined with another one since."),
    errors.MergeNotFound.code: _("There is no such joining of accounts, or it is too long ago."),
    errors.StudentInSession.code: _("The student is in a lesson that is under way. End it first."),
    errors.WebhookNotFound.code: _("There is no such webhook."),
    errors.InProgress.code: _("The same request is still under way. Please wait a moment."),
    errors.KeyReused.code: _("This was sent before for something else."),
    errors.OutcomeUnknown.code: _("Nobody knows whether the last attempt was done. Look before you try again."),
    errors.InvalidMessage.code: _("The message is not as it should be."),
    errors.UnknownEvent.code: _("There is no such message here."),
    errors.TeacherEventOnly.code: _("This message is for teachers."),
    errors.StudentEventOnly.code: _("This message is for students."),
    errors.SocketUnauthorized.code: _("Please sign in again."),
    errors.RequestTimeout.code: _("The request took too long to arrive. Please try again."),
    errors.UnsupportedMediaType.code: _("Content of this kind is not taken here."),
    errors.DatabaseNotWritable.code: _("The server cannot write at the moment. Please try again in a minute."),
    errors.NotReady.code: _("The server is not ready yet. Please try again in a minute."),
    errors.MethodNotAllowed.code: _("This page cannot be used like that. Please go back and try again."),
    errors.PayloadTooLarge.code: _("The file is too large."),
    errors.TooManyRequests.code: _("Too many attempts."),
    errors.InternalError.code: _("Something went wrong here. It was noted; please try again."),
    errors.DatabaseUnavailable.code: _("The server cannot reach its data at the moment. Please try again in a minute."),
}

#: What a teacher is told instead, where the sentence is a student's.
SENTENCES_OF_TEACHERS: dict[str, Any] = {
    errors.CheckInClosed.code: _("The check-in is not open."),
    errors.ExcuseWithdrawn.code: _("The student has withdrawn this excuse."),
    errors.StudentNotEnrolled.code: _("This student is not on the class's list, or not any more."),
}


def sentence_of(error: errors.ApiError, *, reader: Actor | None) -> str:
    """What `reader` is told of `error`; None for somebody who is not signed in."""
    is_teacher = reader is not None and reader.role == Role.TEACHER
    sentences = SENTENCES | SENTENCES_OF_TEACHERS if is_teacher else SENTENCES
    codes = (kind.__dict__.get("code") for kind in type(error).__mro__)  # an error is worded as what it is a case of
    said = str(next((sentences[code] for code in codes if code in sentences), error.message))
    if isinstance(error, errors.TooManyRequests):
        return f"{said} {wait_of(error.retry_after)}"
    return said


def wait_of(seconds: int) -> str:
    """How long to wait before the next attempt."""
    if seconds < 60:
        text = ngettext("Please try again in %d second.", "Please try again in %d seconds.", seconds)
        return text % seconds
    minutes = -(-seconds // 60)
    return ngettext("Please try again in %d minute.", "Please try again in %d minutes.", minutes) % minutes
