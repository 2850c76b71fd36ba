"""Public addresses of this package. Short: they stand many times in every e-mail."""

from django.urls import path

from . import files, views

urlpatterns = [
    path("c/<str:token>", views.click, name="click"),
    path("o/<str:token>", views.open_pixel, name="open"),
    path("f/<str:token>", files.file, name="file"),
    path("t/<str:token>", views.trap, name="trap"),
]
