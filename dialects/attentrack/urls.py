from django.urls import path

from core.rest.routes import route
from dialects.attentrack import classes, live_views, records
from dialects.attentrack.people import STUDENT, TEACHER, Kind, routes_of


def _person(folder: str, kind: Kind) -> list[object]:
    return [
        route(f"api/{folder}/{tail}", view, f"attentrack-{folder}-{tail.partition('/')[0]}", **options)
        for tail, (view, options) in routes_of(kind).items()
    ]


urlpatterns = [
    path("", live_views.Root.as_view(), name="attentrack-root"),
    route("setAttendance", live_views.SetAttendance, "attentrack-set"),
    route("getAttendance", live_views.GetAttendance, "attentrack-get"),
    *_person("student", STUDENT),
    *_person("teacher", TEACHER),
    route("api/student/attendance", records.OwnAttendance, "attentrack-own-attendance"),
    route("api/student/attendance/<roll_number>", records.OwnAttendances, "attentrack-own-attendances"),
    route("api/teacher/records", records.Records, "attentrack-records"),
    route("api/teacher/overall-records", records.OverallRecords, "attentrack-overall-records"),
    route("api/attendance/createAttendance", records.CreateAttendance, "attentrack-create-attendance"),
    route("api/attendance/specific-record", records.SpecificRecord, "attentrack-specific-record"),
    route("api/attendance/change-specific-record", records.ChangeRecord, "attentrack-change-record"),
    route("api/attendance/delete-record", records.DeleteRecord, "attentrack-delete-record"),
    route("api/class/create-class", classes.CreateClass, "attentrack-create-class"),
    route("api/class/getList/<class_id>", classes.ClassList, "attentrack-class-list"),
    route("api/class/remove/<class_id>", classes.RemoveClass, "attentrack-remove-class"),
    route("api/superadmin/add-teacher", classes.AddTeacher, "attentrack-add-teacher"),
    route("api/superadmin/add-teachers", classes.AddTeachers, "attentrack-add-teachers"),
]
