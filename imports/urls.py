"""The imports of an organisation's roster."""

from __future__ import annotations

from django.urls import path

from imports import correcting_views, file_views, looking_views, views

_IMPORT = "o/<slug:org>/imports/<int:import_id>/"

urlpatterns = [
    path("o/<slug:org>/imports/", views.imports, name="imports"),
    path("o/<slug:org>/imports/new/", views.import_new, name="import_new"),
    path("o/<slug:org>/imports/template/", file_views.import_template, name="import_template"),
    # One import: looked at, reviewed, applied, undone.
    path(_IMPORT, views.import_detail, name="import_detail"),
    path(f"{_IMPORT}reading/", looking_views.import_reading, name="import_reading"),
    path(f"{_IMPORT}progress/", views.import_progress, name="import_progress"),
    path(f"{_IMPORT}confirm/", views.import_confirm, name="import_confirm"),
    path(f"{_IMPORT}approve/", views.import_approve, name="import_approve"),
    path(f"{_IMPORT}cancel/", views.import_cancel, name="import_cancel"),
    path(f"{_IMPORT}undo/", views.import_undo, name="import_undo"),
    # Corrections.
    path(f"{_IMPORT}rows/<int:number>/", correcting_views.import_row, name="import_row"),
    path(f"{_IMPORT}rows/<int:number>/check/", correcting_views.import_row_check, name="import_row_check"),
    path(f"{_IMPORT}sites/", correcting_views.import_sites, name="import_sites"),
    path(f"{_IMPORT}twins/", correcting_views.import_twins, name="import_twins"),
    path(f"{_IMPORT}edits/", correcting_views.import_edits, name="import_edits"),
    path(f"{_IMPORT}compare/", correcting_views.import_compare, name="import_compare"),
    path(f"{_IMPORT}corrections/", correcting_views.import_corrections, name="import_corrections"),
    # Files that come back.
    path(f"{_IMPORT}workbook/", file_views.import_workbook, name="import_workbook"),
    path(f"{_IMPORT}copy/", file_views.import_copy, name="import_copy"),
]
