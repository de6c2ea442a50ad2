"""Words that only hold a sentence together; encoders find them near each other, and none can stand for another."""

from __future__ import annotations


def words_of(lines: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(lines.split())


FUNCTION_WORDS = words_of(
    """
    a an the this that these those and or but nor so if than then as at by for from in into of off on onto out over to
    with within without up down about after before between during through under until via per
    i me my mine you your yours he him his she her hers it its we us our ours they them their theirs who whom whose
    which what when where why how all any both each every few more most other others some such no not only own same too
    very can could may might must shall should will would do does did done has have had be am is are was were been being
    here there also just now ever never always often etc
    """
)
