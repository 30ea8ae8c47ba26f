"""Who may sign in: staff the city has loaded, nobody by themselves; single sign-on meets an account by its username."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.openid_connect.views import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from requests import RequestException

from lianxin.organisations.models import Staff

log = logging.getLogger(__name__)


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    """No sign-up: accounts come with the city's staff list."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Whether `?next=` may be followed. An address nobody can read ("http://[") is not, where allauth lets its ValueError out."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The city's identity provider vouches for `preferred_username`, which must be the username of active staff."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Raises ImmediateHttpResponse with a page that says whom to ask when nobody here has that name, when their account
        is closed, and when the provider names two people at once (OpenID Connect Core, 5.3.2: the `sub` must agree)."""
        said = sociallogin.account.extra_data
        userinfo, token = said.get("userinfo") or {}, said.get("id_token") or {}
        if userinfo and token and userinfo.get("sub") != token.get("sub"):
            raise ImmediateHttpResponse(_refused(request, _("统一身份认证给出的身份前后不一致，没有登录。请找系统管理员。")))
        if sociallogin.is_existing:
            if not sociallogin.user.is_active:
                raise ImmediateHttpResponse(_refused(request, _("这个账号已经停用。需要的话，请找本单位的系统管理员。")))
            return
        username = str((userinfo or token or said).get("preferred_username", ""))
        person = Staff.objects.filter(username=username, is_active=True).first() if username else None
        if person is None:
            raise ImmediateHttpResponse(_refused(request, _("统一身份认证里的账号在这里没有登记，请找本单位的系统管理员。")))
        sociallogin.connect(request, person)

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None,
                                extra_context: Any = None) -> None:
        """A plain page when the provider refuses, answers nonsense or nothing. Raises ImmediateHttpResponse."""
        log.warning("single sign-on failed: %s %s", error, type(exception).__name__ if exception else "")
        raise ImmediateHttpResponse(_failed(request))


@login_not_required
def start_single_sign_on(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider's page; a plain page when the provider does not say where that is."""
    try:
        answer: HttpResponse = login(request, provider_id)
    except (RequestException, KeyError) as error:
        log.warning("single sign-on cannot start: %s", type(error).__name__)
        return _failed(request)
    return answer


def _failed(request: HttpRequest) -> HttpResponse:
    return _refused(request, _("统一身份认证没有完成登录。请再试一次，或用密码登录。"), status=502)


def _refused(request: HttpRequest, reason: str, *, status: int = 403) -> HttpResponse:
    return render(request, "account/refused.html", {"reason": reason}, status=status)
