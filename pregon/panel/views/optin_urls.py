"""Addresses where people join and leave, and of the page where a business looks after them."""

from django.urls import path

from pregon.panel.views import optin, settings_optin

urlpatterns = [
    path("alta/<slug:slug>/", optin.join, name="optin"),
    path("alta/<slug:slug>/qr.svg", optin.join_qr, name="optin_qr"),
    path("alta/<slug:slug>/<str:code>/", optin.join_thanks, name="optin_thanks"),
    path("alta/<slug:slug>/<str:code>/qr.svg", optin.join_thanks_qr, name="optin_thanks_qr"),
    path("baja/<slug:slug>/", optin.leave, name="optout"),
    path("baja/c/<str:key>/", optin.leave_link, name="optout_link"),
    path("ajustes/alta/", settings_optin.settings_optin, name="settings_optin"),
    path("ajustes/alta/cartel/", settings_optin.settings_optin_poster, name="settings_optin_poster"),
]
