"""The home that somebody chose for a twin."""

from samspel_sim.behaviour import TwinOptions
from samspel_sim.home import chosen_home


def test_without_a_word_it_is_a_midsummer_morning_of_steady_light():
    home = chosen_home(TwinOptions(), capacity_wh=5000, ac_limit_w=4000)
    assert (home.second_of_day, home.panels.by_day) == (36_000, False)
    assert (home.battery.capacity_wh, home.ac_limit_w) == (5000, 4000)


def test_charge_date_and_light_are_the_user_s():
    options = TwinOptions(soc_pct=20, epoch_s=86_400 + 60, settings={"pv": "day"})
    home = chosen_home(options, capacity_wh=5000, ac_limit_w=4000)
    assert (home.battery.soc_pct, home.second_of_day, home.panels.by_day) == (20, 60, True)
