"""Addresses of *Reportar un problema*."""

from django.urls import path

from pregon.panel.views import cases

urlpatterns = [
    path("reportar/", cases.case_new, name="case_new"),
    path("casos/", cases.cases_list, name="cases"),
    path("casos/<int:pk>/", cases.case, name="case"),
    path("casos/<int:pk>/cerrar/", cases.case_close, name="case_close"),
    path("casos/<int:pk>/archivos/<int:file>/", cases.case_file, name="case_file"),
    path("casos/ver/<str:key>/", cases.case_link, name="case_link"),
    path("casos/ver/<str:key>/archivos/<int:file>/", cases.case_link_file, name="case_link_file"),
]
