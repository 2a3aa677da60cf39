"""The panel's addresses: short, Spanish, without the business in them (it lives in the session)."""

from django.urls import include, path

from pregon.panel.views import home, styleguide

app_name = "panel"

urlpatterns = [
    path("", home.home, name="home"),
    path("estilo/", styleguide.styleguide, name="styleguide"),
    path("", include("pregon.panel.views.broadcasts_urls")),
    path("", include("pregon.panel.views.cases_urls")),
    path("", include("pregon.panel.views.guides_urls")),
    path("", include("pregon.panel.views.optin_urls")),
    path("", include("pregon.panel.views.promotions_urls")),
    path("", include("pregon.panel.views.contacts_urls")),
    path("", include("pregon.panel.views.settings_urls")),
    path("", include("pregon.panel.views.subscription_urls")),
]
