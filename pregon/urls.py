"""Every address of the panel process. Meta's webhooks have a process of their own (`pregon.webhooks.app`)."""

from django.urls import include, path

from pregon.panel.views import health
from pregon.staff.views import metrics

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("cuenta/", include("allauth.account.urls")),
    path("staff/", include("pregon.staff.urls")),
    path("", include("pregon.panel.urls")),
]
