"""Addresses of the broadcasts: prepared, reviewed, sent, and what became of them."""

from django.urls import path

from pregon.panel.views import broadcasts, broadcasts_control, results

urlpatterns = [
    path("envios/", broadcasts.broadcasts, name="broadcasts"),
    path("envios/nuevo/", broadcasts.broadcast_new, name="broadcast_new"),
    path("envios/<int:pk>/", broadcasts.broadcast, name="broadcast"),
    path("envios/<int:pk>/lista/", broadcasts.broadcast_audience, name="broadcast_audience"),
    path("envios/<int:pk>/lista.csv", broadcasts.broadcast_list, name="broadcast_list"),
    path("envios/<int:pk>/omitidos/", broadcasts.broadcast_omissions, name="broadcast_omissions"),
    path("envios/<int:pk>/omitidos/<slug:reason>/", broadcasts.broadcast_omitted, name="broadcast_omitted"),
    path("envios/<int:pk>/cupo/", broadcasts.broadcast_quota, name="broadcast_quota"),
    path("envios/<int:pk>/aprobar/", broadcasts.broadcast_approve, name="broadcast_approve"),
    path("envios/<int:pk>/enviar/", broadcasts.broadcast_launch, name="broadcast_launch"),
    path("envios/<int:pk>/avance/", broadcasts.broadcast_progress, name="broadcast_progress"),
    path("envios/<int:pk>/no-enviar/", broadcasts.broadcast_call_off, name="broadcast_call_off"),
    path("envios/<int:pk>/programar/", broadcasts.broadcast_schedule, name="broadcast_schedule"),
    path("envios/<int:pk>/desprogramar/", broadcasts.broadcast_unschedule, name="broadcast_unschedule"),
    path("envios/<int:pk>/de-todos-modos/", broadcasts_control.broadcast_waive, name="broadcast_waive"),
    path("envios/<int:pk>/calidad/", broadcasts_control.broadcast_accept, name="broadcast_accept"),
    path("envios/<int:pk>/repetir/", broadcasts_control.broadcast_repeat, name="broadcast_repeat"),
    path("envios/<int:pk>/repetir/pausar/", broadcasts_control.recurrence_pause, name="recurrence_pause"),
    path("envios/<int:pk>/repetir/seguir/", broadcasts_control.recurrence_resume, name="recurrence_resume"),
    path("envios/<int:pk>/repetir/terminar/", broadcasts_control.recurrence_end, name="recurrence_end"),
    path("envios/<int:pk>/descartar/", broadcasts.broadcast_discard, name="broadcast_discard"),
    path("envios/<int:pk>/tarjeta/", results.broadcast_card, name="broadcast_card"),
    path("envios/<int:pk>/frase/", results.broadcast_sentence, name="broadcast_sentence"),
    path("envios/<int:pk>/pausar/", results.broadcast_pause, name="broadcast_pause"),
    path("envios/<int:pk>/seguir/", results.broadcast_resume, name="broadcast_resume"),
    path("envios/<int:pk>/detener/", results.broadcast_cancel, name="broadcast_cancel"),
    path("envios/<int:pk>/reintentar/", results.broadcast_retry, name="broadcast_retry"),
    path("envios/<int:pk>/cartel/", results.broadcast_poster, name="broadcast_poster"),
    path("envios/<int:pk>/resultado.csv", results.broadcast_export, name="broadcast_export"),
    path("envios/<int:pk>/resultado/<slug:bucket>/", results.broadcast_bucket, name="broadcast_bucket"),
]
