from core.rest.routes import route_by_method
from dialects.v2.views import auth, classes, marks, me, sessions, students

urlpatterns = [
    route_by_method("auth/login", "v2-login", POST=auth.Login),
    route_by_method("auth/signup", "v2-signup", POST=auth.Signup),
    route_by_method("auth/forgot", "v2-forgot", POST=auth.Forgot),
    route_by_method("auth/reset", "v2-reset", POST=auth.Reset),
    route_by_method("auth/password", "v2-password", POST=auth.Password),
    route_by_method("me", "v2-me", GET=me.Me, PATCH=me.MeChange),
    route_by_method("classes", "v2-classes", GET=classes.ClassList, POST=classes.ClassCreate),
    route_by_method(
        "classes/<class_id>",
        "v2-class",
        GET=classes.ClassDetail,
        PATCH=classes.ClassChange,
        DELETE=classes.ClassDelete,
    ),
    route_by_method("classes/<class_id>/teachers", "v2-teachers", GET=classes.TeacherList, POST=classes.TeacherAdd),
    route_by_method("classes/<class_id>/teachers/<user_id>", "v2-teacher", DELETE=classes.TeacherRemove),
    route_by_method("classes/<class_id>/students", "v2-students", GET=students.StudentList, POST=students.StudentAdd),
    route_by_method(
        "classes/<class_id>/students/<user_id>",
        "v2-student",
        GET=students.StudentDetail,
        PATCH=students.StudentChange,
        DELETE=students.StudentRemove,
    ),
    route_by_method("classes/<class_id>/sessions", "v2-sessions", GET=sessions.SessionList, POST=sessions.SessionStart),
    route_by_method("sessions/<session_id>", "v2-session", GET=sessions.SessionDetail),
    route_by_method("sessions/<session_id>/marks", "v2-marks", POST=marks.Marks),
    route_by_method("sessions/<session_id>/rest", "v2-rest", POST=marks.Rest),
    route_by_method("sessions/<session_id>/undo", "v2-undo", POST=marks.Undo),
    route_by_method("sessions/<session_id>/end", "v2-end", POST=sessions.SessionEnd),
    route_by_method("sessions/<session_id>/reopen", "v2-reopen", POST=sessions.SessionReopen),
    route_by_method("sessions/<session_id>/corrections", "v2-corrections", POST=marks.Corrections),
    route_by_method("records/<record_id>/history", "v2-history", GET=marks.History),
]
