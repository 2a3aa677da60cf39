"""Every address of the panel process. Meta's webhooks have a process of their own (`pregon.webhooks.app`)."""

from django.urls import include, path

from pregon.panel.views import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("cuenta/", include("allauth.account.urls")),
    path("staff/", include("pregon.staff.urls")),
    path("", include("pregon.panel.urls")),
]
