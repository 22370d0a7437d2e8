import pytest

from infusions.stock.recall_queries import open_recall_of
from tests.factories.formulary import make_product
from tests.factories.recalls import make_recall

pytestmark = pytest.mark.django_db


def test_open_recall_of_finds_the_recall_of_any_of_the_lots_however_written(django_assert_num_queries):
    product = make_product()
    make_recall(make_product(), ["AB12"])
    make_recall(product, ["AB12"], closed=True)
    recall = make_recall(product, ["AB12", "CD34"])
    with django_assert_num_queries(1):
        assert open_recall_of(product, ["zz9", " cd 34", "ab12"]) == recall


def test_open_recall_of_is_none_for_other_products_other_lots_and_closed_recalls():
    product = make_product()
    make_recall(product, ["AB12"], closed=True)
    make_recall(product, ["AB1"])
    make_recall(make_product(), ["AB12"])
    assert (open_recall_of(product, ["AB12", "B1"]), open_recall_of(product, [])) == (None, None)
