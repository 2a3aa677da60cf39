from django.urls import path

from pregon.panel import appearance
from pregon.panel.views import account, settings, settings_fields, settings_members, settings_numbers, settings_privacy

urlpatterns = [
    path("ajustes/", settings.settings, name="settings"),
    path("ajustes/negocio/", settings.settings_business, name="settings_business"),
    path("ajustes/descanso/", settings.settings_rest, name="settings_rest"),
    path("ajustes/privacidad/", settings_privacy.settings_privacy, name="settings_privacy"),
    path("ajustes/numero/", settings_numbers.settings_number_new, name="settings_number_new"),
    path("ajustes/numero/<int:pk>/comprobar/", settings_numbers.settings_number_check, name="settings_number_check"),
    path("ajustes/plantillas/", settings_numbers.settings_templates, name="settings_templates"),
    path("ajustes/plantillas/traer/", settings_numbers.settings_templates_sync, name="settings_templates_sync"),
    path("ajustes/equipo/", settings_members.settings_members, name="settings_members"),
    path("ajustes/equipo/<int:pk>/", settings_members.settings_member, name="settings_member"),
    path("ajustes/equipo/<int:pk>/quitar/", settings_members.settings_member_remove, name="settings_member_remove"),
    path("ajustes/datos/", settings_fields.settings_fields, name="settings_fields"),
    path("ajustes/datos/<int:pk>/", settings_fields.settings_field, name="settings_field"),
    path("ajustes/datos/<int:pk>/mover/", settings_fields.settings_field_move, name="settings_field_move"),
    path("ajustes/datos/<int:pk>/borrar/", settings_fields.settings_field_delete, name="settings_field_delete"),
    path("practica/", settings_numbers.practice_mode, name="practice"),
    path("negocio/", account.switch, name="account_switch"),
    path("apariencia/", appearance.choose, name="theme"),
    path("idioma/", appearance.speak, name="language"),
]
