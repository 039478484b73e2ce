import pytest

from twintown.ground.errors import BadData
from twintown.programme.recipe import recipes_of

ROW = {
    "id": "1", "recipe": "tofu", "name_ko": "두부", "name_en": "Tofu", "product": "soybeans", "g_meal": 30.0, "allergens": "6",
    "weekdays": "1,3",
}  # fmt: skip


def test_a_recipe_gathers_its_lines_and_holds_the_allergens_of_its_products():
    found = recipes_of(
        [ROW, {**ROW, "id": "2", "product": "potato", "g_meal": 20.0, "allergens": None, "weekdays": ""}]
    )["tofu"]
    assert [(line.product, line.g_meal) for line in found.lines] == [("soybeans", 30.0), ("potato", 20.0)]
    assert found.allergens == {5, 6}
    assert found.weekdays == (1, 3)
    assert found.name.en == "Tofu"


@pytest.mark.parametrize(
    "bad", [{"product": "ginseng"}, {"g_meal": 0.0}, {"g_meal": -3.0}, {"allergens": "x"}]
)
def test_a_line_that_cannot_be_used_is_named(bad):
    with pytest.raises(BadData, match="recipes 1"):
        recipes_of([{**ROW, **bad}])
