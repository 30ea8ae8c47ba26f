"""The desk's addresses."""

from django.urls import path

from .views import boards, call, case, office

app_name = "desk"
urlpatterns = [
    path("", boards.home, name="home"),
    path("board/<slug:code>/", boards.board, name="board"),
    path("board/<slug:code>/live/", boards.live, name="live"),
    path("board/<slug:code>/bulk/", boards.bulk, name="bulk"),
    path("board/<slug:code>/filters/", boards.save_filter, name="save_filter"),
    path("filters/<int:pk>/delete/", boards.delete_filter, name="delete_filter"),
    path("call/", call.call, name="call"),
    path("call/suggest/", call.suggest, name="suggest"),
    path("cases/<uuid:case_id>/", case.detail, name="case"),
    path("cases/<uuid:case_id>/pane/", case.pane, name="pane"),
    path("cases/<uuid:case_id>/watch/", case.watch, name="watch"),
    path("cases/<uuid:case_id>/do/<slug:action>/", case.act, name="act"),
    path("cases/<uuid:case_id>/identity/", case.identity, name="identity"),
    path("cases/<uuid:case_id>/attach/", case.attach_files, name="attach"),
    path("cases/<uuid:case_id>/print/", case.print_file, name="print"),
    path("cases/<uuid:case_id>/file.pdf", case.pdf, name="pdf"),
    path("attachments/<uuid:pk>/", case.attachment, name="attachment"),
    path("attachments/<uuid:pk>/small/", case.thumbnail, name="thumbnail"),
    path("overview/", boards.overview, name="overview"),
    path("find/", boards.find, name="find"),
    path("office/", office.office, name="office"),
    path("office/tokens/", office.tokens, name="tokens"),
    path("office/tokens/<uuid:pk>/revoke/", office.revoke, name="revoke_token"),
    path("office/jobs/", office.failed_jobs, name="jobs"),
    path("office/jobs/<int:job_id>/retry/", office.retry_job, name="retry_job"),
    path("office/readings/", office.identity_readings, name="readings"),
    path("lists/<slug:name>/", call.choices, name="choices"),
]
