from django.urls import path

from pregon.panel.views import subscription

urlpatterns = [
    path("suscripcion/", subscription.subscription, name="subscription"),
    path("suscripcion/plan/<int:pk>/", subscription.subscription_change, name="subscription_change"),
    path("suscripcion/movimientos/", subscription.subscription_movements, name="subscription_movements"),
]
