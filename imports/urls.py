"""The imports of an organisation's roster."""

from __future__ import annotations

from django.urls import path

from imports import views

urlpatterns = [
    path("o/<slug:org>/imports/", views.imports, name="imports"),
    path("o/<slug:org>/imports/new/", views.import_new, name="import_new"),
    path("o/<slug:org>/imports/<int:import_id>/", views.import_detail, name="import_detail"),
    path("o/<slug:org>/imports/<int:import_id>/progress/", views.import_progress, name="import_progress"),
    path("o/<slug:org>/imports/<int:import_id>/confirm/", views.import_confirm, name="import_confirm"),
    path("o/<slug:org>/imports/<int:import_id>/approve/", views.import_approve, name="import_approve"),
    path("o/<slug:org>/imports/<int:import_id>/cancel/", views.import_cancel, name="import_cancel"),
    path("o/<slug:org>/imports/<int:import_id>/undo/", views.import_undo, name="import_undo"),
]
