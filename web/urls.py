"""The pages, below /app/."""

from django.urls import path, re_path

from web.views import accounts, classes, excuses, home, imports, live, me, office, page, reports, sessions

app_name = "web"

urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("sign-in", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-up", accounts.SignUp.as_view(), name="sign-up"),
    path("sign-out", accounts.SignOut.as_view(), name="sign-out"),
    path("forgot", accounts.Forgot.as_view(), name="forgot"),
    path("reset", accounts.Reset.as_view(), name="reset"),
    path("token", live.Token.as_view(), name="token"),
    path("language", accounts.Language.as_view(), name="language"),
    path("classes/", classes.Classes.as_view(), name="classes"),
    path("classes/new", classes.ClassNew.as_view(), name="class-new"),
    path("classes/sample", classes.ClassSample.as_view(), name="class-sample"),
    path("classes/<class_id>/", classes.ClassSessions.as_view(), name="class"),
    path("classes/<class_id>/start", classes.ClassStart.as_view(), name="class-start"),
    path("classes/<class_id>/students", classes.ClassStudents.as_view(), name="class-students"),
    path("classes/<class_id>/students/<student_id>", reports.ClassStudent.as_view(), name="class-student"),
    path("classes/<class_id>/students/<student_id>/remove", classes.StudentRemove.as_view(), name="student-remove"),
    path("classes/<class_id>/import", imports.ClassImport.as_view(), name="class-import"),
    path("classes/<class_id>/reports", reports.Reports.as_view(), name="class-reports"),
    path("classes/<class_id>/reports.<kind>", reports.ReportFile.as_view(), name="class-report-file"),
    path("classes/<class_id>/settings", classes.ClassSettings.as_view(), name="class-settings"),
    path("classes/<class_id>/teachers", classes.ClassTeachers.as_view(), name="class-teachers"),
    path("classes/<class_id>/teachers/<teacher_id>/remove", classes.TeacherRemove.as_view(), name="teacher-remove"),
    path("classes/<class_id>/archive", classes.ClassArchive.as_view(), name="class-archive"),
    path("classes/<class_id>/remove", classes.ClassRemove.as_view(), name="class-remove"),
    path("sessions/<session_id>/", sessions.SessionDetail.as_view(), name="session"),
    path("sessions/<session_id>/marks", sessions.SessionMarks.as_view(), name="session-marks"),
    path("sessions/<session_id>/rest", sessions.SessionRest.as_view(), name="session-rest"),
    path("sessions/<session_id>/undo", sessions.SessionUndo.as_view(), name="session-undo"),
    path("sessions/<session_id>/reopen", sessions.SessionReopen.as_view(), name="session-reopen"),
    path("sessions/<session_id>/students/<student_id>", sessions.SessionStudent.as_view(), name="session-student"),
    path("sessions/<session_id>/print", sessions.SessionPrint.as_view(), name="session-print"),
    path("sessions/<session_id>/end", sessions.SessionEnd.as_view(), name="session-end"),
    path("sessions/<session_id>/project", live.Projector.as_view(), name="projector"),
    path("sessions/<session_id>/kiosk", live.Kiosk.as_view(), name="kiosk"),
    path("check-in/", live.CheckIn.as_view(), name="check-in"),
    path("check-in/<session_id>", live.CheckIn.as_view(), name="scanned"),
    path("excuses/", excuses.Excuses.as_view(), name="excuses"),
    path("excuses/<excuse_id>", excuses.Excuse.as_view(), name="excuse"),
    path("me/", me.Me.as_view(), name="me"),
    path("me/data", me.MyData.as_view(), name="my-data"),
    path("me/data/file", me.MyDataFile.as_view(), name="my-data-file"),
    path("me/password", me.Password.as_view(), name="password"),
    path("me/sign-out-everywhere", me.Everywhere.as_view(), name="everywhere"),
    path("me/confirm", me.Proof.as_view(), name="confirm"),
    path("me/confirm/code", me.ProofCode.as_view(), name="confirm-code"),
    path("me/classes/<class_id>", reports.MyClass.as_view(), name="my-class"),
    path("office/", office.Office.as_view(), name="office"),
    path("office/people", office.People.as_view(), name="people"),
    path("office/invitations", office.Invitations.as_view(), name="invitations"),
    path(
        "office/invitations/<invitation_id>/withdraw", office.InvitationWithdraw.as_view(), name="invitation-withdraw"
    ),
    path("office/report", office.SchoolReport.as_view(), name="school-report"),
    re_path(r"", page.Nothing.as_view(), name="nothing"),
]
