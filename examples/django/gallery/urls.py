from django.conf import settings
from django.urls import path, re_path
from django.views.static import serve

from photos import views

urlpatterns = [
    path("", views.index, name="index"),
    path("healthz", views.health),
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
]
