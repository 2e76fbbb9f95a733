from attendance import views
from core.rest.routes import route

urlpatterns = [
    route("attendance/start", views.AttendanceStart, "attendance-start"),
    route("class/<class_id>/my-attendance", views.MyAttendance, "my-attendance"),
    route("attendance/<class_id>/my-attendance", views.MyAttendance, "attendance-my-attendance"),
]
