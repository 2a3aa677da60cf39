"""The provider's addresses."""

from django.urls import path

from pregon.staff.views import businesses, cases, health, plans

app_name = "staff"

urlpatterns = [
    path("", cases.queue, name="cases"),
    path("casos/<int:pk>/", cases.case, name="case"),
    path("casos/<int:pk>/cerrar/", cases.close, name="case_close"),
    path("casos/<int:pk>/abrir/", cases.reopen, name="case_reopen"),
    path("casos/<int:pk>/archivos/<int:file>/", cases.file, name="case_file"),
    path("negocios/", businesses.businesses, name="businesses"),
    path("negocios/<int:pk>/", businesses.business, name="business"),
    path("negocios/<int:pk>/plan/", businesses.change_plan, name="business_plan"),
    path("negocios/<int:pk>/permiso/", businesses.note_consent, name="business_consent"),
    path("negocios/<int:pk>/pausar/", businesses.suspend, name="business_suspend"),
    path("negocios/<int:pk>/reactivar/", businesses.reactivate, name="business_reactivate"),
    path("planes/", plans.plans, name="plans"),
    path("planes/nuevo/", plans.plan, name="plan_new"),
    path("planes/<int:pk>/", plans.plan, name="plan"),
    path("salud/", health.health, name="health"),
]
