from accounts import views
from accounts.invitation_page import InvitationAccept, InvitationPage
from core.rest.routes import route

urlpatterns = [
    route("auth/signup", views.Signup, "signup"),
    route("auth/login", views.Login, "login"),
    route("auth/logout", views.Logout, "logout"),
    route("auth/password", views.Password, "password"),
    route("auth/forgot", views.Forgot, "forgot"),
    route("auth/reset", views.Reset, "reset"),
    route("auth/me", views.Me, "me"),
    route("auth/confirm-email/code", views.ProofBegin, "confirm-email-code"),
    route("auth/confirm-email", views.ProofFinish, "confirm-email"),
    route("invitation/<secret>", InvitationPage, "invitation"),
    route("invitation/<secret>/accept", InvitationAccept, "invitation-accept"),
]
