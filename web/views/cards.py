"""Printed cards: a class's, to be made, printed and voided; and the page that a card's QR opens."""

from collections.abc import Collection
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.cards import MOST, card_sign_in, card_void, cards_make
from accounts.devices import Device
from classes.cards import cards_of_class, student_for_card
from core import errors
from core.rest.permissions import Audience
from web.forms.accounts import CardForm
from web.views.accounts import sign_in
from web.views.classes import ClassPage
from web.views.page import Page


class ClassCards(ClassPage):
    """`/app/classes/ID/cards`: who has a card. New ones are made and shown once, on a sheet to print."""

    tab = "students"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self._list()

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        chosen = set(request.POST.getlist("student"))
        lines = cards_of_class(actor=self.actor, class_id=self.found.id)
        students = [line.student for line in lines if line.is_makeable and line.student.id in chosen]
        if not students:
            return self._list(_("Choose the students who are to get a card."))
        if len(students) > MOST:
            return self._list(_("At most %d cards are made at a time.") % MOST)
        replaced = sum(line.card is not None for line in lines if line.student in students)
        if replaced and "sure" not in request.POST:
            return self._list(chosen=chosen, replaced=replaced)
        made = cards_make(students=students, actor=self.actor, site=request.build_absolute_uri("/"))
        return self.show("cards_print.html", {"cards": made})

    def _list(self, refusal: str = "", *, chosen: Collection[str] | None = None, replaced: int = 0) -> HttpResponse:
        """`chosen`: who is ticked, else whoever has no card. `replaced`: so many cards are asked about."""
        lines = cards_of_class(actor=self.actor, class_id=self.found.id)
        content = {
            "lines": lines,
            "is_makeable": any(line.is_makeable for line in lines),
            "chosen": {line.student.id for line in lines if not line.card} if chosen is None else chosen,
            "replaced": replaced,
            "refusal": refusal,
        }
        return self.show("class_cards.html", content, HTTPStatus.BAD_REQUEST if refusal else HTTPStatus.OK)


class CardVoid(ClassPage):
    """`/app/classes/ID/students/ID/card/void`: a card that was lost opens nothing more."""

    tab = "students"

    def post(self, request: HttpRequest, class_id: str, student_id: str) -> HttpResponse:
        student = student_for_card(actor=self.actor, student_id=student_id)
        card_void(student=student, actor=self.actor)
        said = _("The card of %s is void. Whoever was signed in with it is signed out.") % student.name
        return self.done(said, "class-cards", class_id=self.found.id)


class Card(Page):
    """`/app/card#SECRET`: signs the student in whose card this is. No browser sends what is behind the `#`."""

    audience = Audience.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("card.html", {"form": CardForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CardForm(request.POST)
        if form.is_valid():
            device = Device.of(request)
            try:
                user = card_sign_in(code=form.cleaned_data["code"], address=self.address, device=device)
            except (errors.InvalidCard, errors.TooManyRequests) as refusal:
                self.refuse(form, refusal, "code")
            else:
                sign_in(request, user)
                response = redirect("web:home")
                device.save_to(response, secure=request.is_secure())
                return response
        return self.show("card.html", {"form": form})
