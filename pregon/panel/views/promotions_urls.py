"""Addresses of the promotions."""

from django.urls import path

from pregon.panel.views import promotions, trials

urlpatterns = [
    path("promociones/", promotions.promotions, name="promotions"),
    path("promociones/nueva/", promotions.promotion_new, name="promotion_new"),
    path("promociones/nueva/escribir/", promotions.promotion_write, name="promotion_write"),
    path("promociones/nueva/vista/", promotions.promotion_preview, name="promotion_preview"),
    path("promociones/<int:pk>/", promotions.promotion, name="promotion"),
    path("promociones/<int:pk>/plantilla/", promotions.promotion_new, name="promotion_frame"),
    path("promociones/<int:pk>/vista/", promotions.promotion_preview, name="promotion_preview_of"),
    path("promociones/<int:pk>/prueba/", trials.promotion_trial, name="promotion_trial"),
    path("promociones/<int:pk>/pruebas/", trials.promotion_trials, name="promotion_trials"),
    path("promociones/<int:pk>/duplicar/", promotions.promotion_duplicate, name="promotion_duplicate"),
    path("promociones/<int:pk>/archivar/", promotions.promotion_archive, name="promotion_archive"),
    path("promociones/<int:pk>/revision/", promotions.promotion_submit, name="promotion_submit"),
]
