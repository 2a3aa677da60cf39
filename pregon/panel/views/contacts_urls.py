from django.urls import path

from pregon.panel.views import contacts, contacts_bulk, contacts_imports, contacts_person, segments

urlpatterns = [
    path("contactos/", contacts.contacts, name="contacts"),
    path("contactos/exportar/", contacts.contacts_export, name="contacts_export"),
    path("contactos/varios/", contacts_bulk.contacts_bulk, name="contacts_bulk"),
    path("contactos/nuevo/", contacts_person.contact_new, name="contact_new"),
    path("contactos/<int:pk>/", contacts_person.contact, name="contact"),
    path("contactos/<int:pk>/editar/", contacts_person.contact_edit, name="contact_edit"),
    path("contactos/<int:pk>/eliminar/", contacts_person.contact_delete, name="contact_delete"),
    path("contactos/<int:pk>/permiso/", contacts_person.contact_consent, name="contact_consent"),
    path("contactos/<int:pk>/baja/", contacts_person.contact_withdraw, name="contact_withdraw"),
    path("contactos/segmentos/", segments.segments, name="segments"),
    path("contactos/segmentos/nuevo/", segments.segment_new, name="segment_new"),
    path("contactos/segmentos/contar/", segments.segment_count, name="segment_count"),
    path("contactos/segmentos/<int:pk>/", segments.segment_edit, name="segment_edit"),
    path("contactos/segmentos/<int:pk>/cuantos/", segments.segment_people, name="segment_people"),
    path("contactos/segmentos/<int:pk>/borrar/", segments.segment_delete, name="segment_delete"),
    path("contactos/importar/", contacts_imports.import_new, name="import_new"),
    path("contactos/importar/<int:pk>/", contacts_imports.import_review, name="import_review"),
    path("contactos/importar/<int:pk>/columnas/", contacts_imports.import_columns, name="import_columns"),
    path("contactos/importar/<int:pk>/guardar/", contacts_imports.import_commit, name="import_commit"),
    path("contactos/importar/<int:pk>/fuera/", contacts_imports.import_rejects, name="import_rejects"),
    path("contactos/importar/<int:pk>/descartar/", contacts_imports.import_discard, name="import_discard"),
    path("contactos/importar/<int:pk>/avance/", contacts_imports.import_progress, name="import_progress"),
    path("contactos/importar/<int:pk>/parar/", contacts_imports.import_stop, name="import_stop"),
    path("contactos/importar/<int:pk>/deshacer/", contacts_imports.import_undo, name="import_undo"),
]
