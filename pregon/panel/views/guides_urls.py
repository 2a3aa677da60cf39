"""The address of the guides."""

from django.urls import path

from pregon.panel.views import guides

urlpatterns = [path("guias/", guides.guides, name="guides")]
