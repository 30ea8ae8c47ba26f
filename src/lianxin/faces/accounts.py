"""Who may sign in: staff the city has loaded, nobody by themselves; single sign-on meets an account by its username."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext as _

from lianxin.organisations.models import Staff


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    """No sign-up: accounts come with the city's staff list."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The city's identity provider vouches for `preferred_username`, which must be the username of active staff."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Raises ImmediateHttpResponse with a page that says whom to ask when nobody here has that name."""
        if sociallogin.is_existing:
            return
        said = sociallogin.account.extra_data
        claims = said.get("userinfo") or said.get("id_token") or said
        username = str(claims.get("preferred_username", ""))
        person = Staff.objects.filter(username=username, is_active=True).first() if username else None
        if person is None:
            page = render(request, "desk/refused.html", {
                "reason": _("统一身份认证里的账号在这里没有登记，请找本单位的系统管理员。"),
            }, status=403)
            raise ImmediateHttpResponse(page)
        sociallogin.connect(request, person)
