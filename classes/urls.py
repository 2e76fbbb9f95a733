from classes import views
from core.rest.routes import route

urlpatterns = [
    route("students", views.Students, "students"),
    route("class", views.ClassCreate, "class-create"),
    route("class/<class_id>", views.ClassDetail, "class-detail"),
    route("class/<class_id>/add-student", views.ClassAddStudent, "class-add-student"),
]
