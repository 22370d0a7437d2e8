from django.urls import path

from infusions.stock import code_views, views

app_name = "stock"
item = "stock/items/<str:item_id>/"

urlpatterns = [
    path("stock/", views.stock_list, name="stock-list"),
    path("stock/receive/", views.receive, name="receive"),
    path("stock/codes/", code_views.code_list, name="code-list"),
    path("stock/codes/add/", code_views.code_add, name="code-add"),
    path(item, views.item_detail, name="item-detail"),
    path(f"{item}move/", views.item_move, name="item-move"),
    path(f"{item}discard/", views.item_discard, name="item-discard"),
    path(f"{item}set-aside/", views.item_set_aside, name="item-set-aside"),
    path(f"{item}release/", views.item_release, name="item-release"),
    path(f"{item}correct/", views.item_correct, name="item-correct"),
]
