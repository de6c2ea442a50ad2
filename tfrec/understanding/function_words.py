"""Closed classes of words by language: what bounds a price, denies a word, names money. Nothing here is of a shop.

Words stand as `tfrec.understanding.normal_form` writes them: in lower case, without punctuation. Scripts without spaces
are written without them here, and spaced when patterns are made.
"""

from __future__ import annotations


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.replace("\n", "|").split("|") if phrase.strip()]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


AT_MOST = _phrases(
    """
    under | below | less than | cheaper than | up to | no more than | not more than | not over | at most | max | maximum
    unter | bis zu | bis | höchstens | maximal | weniger als | billiger als | günstiger als
    moins de | moins cher que | jusqu'à | jusqu à | au plus | maximum de | pas plus de
    menos de | por menos de | hasta | por debajo de | como máximo | máximo | até | no máximo | abaixo de
    meno di | sotto i | sotto | fino a | al massimo | massimo | onder de | onder | tot | minder dan | hoogstens
    低于 | 不超过 | 不高于 | 少于 | 小于 | 最多 | <
    """
)
AT_MOST_AFTER = _phrases(
    """
    or less | or under | or below | and under | and below | max | maximum | oder weniger | oder günstiger
    ou moins | maximum | o menos | ou menos | o meno | of minder | 以下 | 以内 | 之内
    """
)
AT_LEAST = _phrases(
    """
    over | above | more than | no less than | not less than | at least | min | minimum | starting at
    über | ab | mehr als | mindestens | plus de | à partir de | au moins | au dessus de
    más de | desde | al menos | por encima de | mais de | a partir de | pelo menos | acima de
    più di | oltre | almeno | a partire da | meer dan | vanaf | minstens | boven
    高于 | 超过 | 不低于 | 多于 | 大于 | 至少 | >
    """
)
AT_LEAST_AFTER = _phrases(
    "or more | and up | and above | oder mehr | ou plus | o más | ou mais | o più | of meer | 以上 | 起"
)
BETWEEN = _phrases("between | from | zwischen | von | entre | de | desde | da | tra | fra | tussen | van | 从 | 在")
AND = _phrases("and | to | und | bis | et | à | y | a | e | en | tot | ~ | 到 | 至 | 和")
MONEY = _phrases(
    """
    eur | euro | euros | usd | dollar | dollars | bucks | gbp | pound | pounds | quid | cny | rmb | yuan | jpy | yen
    chf | kr | sek | nok | dkk | zł | pln | inr | rs | rupees | reais | 元 | 块钱 | 块 | 人民币 | 欧元 | 美元 | 円
    franken
    """
)
NEGATIONS = frozenset(
    _phrases(
        """
        without | no | not | except | ohne | kein | keine | keinen | nicht | außer | sans | sauf | sin | excepto | senza
        sem | zonder | geen | niet | 不要 | 不带 | 不含 | 没有 | 不想要
        """
    )
)
ARTICLES = frozenset(
    _phrases(
        """
        a | an | the | any | der | die | das | den | dem | ein | eine | einen | le | la | les | un | une | des | de | du
        el | los | las | una | il | lo | gli | i | o | os | as | um | uma | het | een
        """
    )
)
LANGUAGES: dict[str, frozenset[str]] = {
    "en": _words(
        """
        the a an and or of for with without in on to from by under over between less than more my
        your is are no not that this it at up below above
        """
    ),
    "de": _words(
        """
        der die das den dem des ein eine einen einem einer und oder für mit ohne in im auf aus von
        vom zum zur bei bis unter über zwischen ab als kein keine keinen nicht ist sind
        """
    ),
    "fr": _words(
        """
        le la les un une des du de et ou pour avec sans en dans sur au aux par plus moins que à sous
        entre est pas ne d l
        """
    ),
    "es": _words(
        """
        el la los las un una unos unas y o de del para con sin en por más menos que al entre hasta es no su
        """
    ),
    "it": _words(
        """
        il lo la i gli le un uno una e o di del della dei per con senza in su da dal tra fra più
        meno che al è non sotto
        """
    ),
    "nl": _words(
        """
        de het een en of voor met zonder in op van uit bij tot onder boven tussen meer minder dan geen niet is
        """
    ),
    "pt": _words(
        """
        o a os as um uma uns umas e ou de do da dos das para com sem em no na por mais menos que até
        entre é não
        """
    ),
}
"""Words that hold sentences together, by ISO 639-1 code."""
