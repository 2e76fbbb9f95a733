from core.rest.routes import route
from dialects.v1 import views

urlpatterns = [
    route("auth/register", views.Register, "v1-register"),
    route("auth/login", views.Login, "v1-login"),
    route("auth/me", views.Me, "v1-me"),
    route("class", views.ClassCreate, "v1-class"),
    route("class/create-class", views.ClassCreate, "v1-class-create"),
    route("class/students", views.Students, "v1-students"),  # before the route that takes any class's id
    route("class/<class_id>", views.ClassDetail, "v1-class-detail"),
    route("class/<class_id>/add-student", views.ClassAddStudent, "v1-class-add-student"),
    route("attendance/<class_id>/my-attendance", views.MyAttendance, "v1-my-attendance"),
    route("attendance/start", views.AttendanceStart, "v1-attendance-start"),
]
