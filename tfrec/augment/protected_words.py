"""The words behind the protection of numbers, sizes, measures and negations, in the languages shops are written in.

Case-folded; a word that stands for itself only beside a number ("in", "l", 双) is a measure, not a size.
"""

from __future__ import annotations


def _words(lines: str) -> frozenset[str]:
    return frozenset(lines.split())


SIZES = _words(
    """
    xxs xs s m l xl xxl xxxl xxxxl small medium large x-large xx-large plus petite
    klein groß mittel petit grand moyen pequeño mediano grande piccolo medio
    小 中 大 号 號 码 碼 サイズ 사이즈
    """
)
NUMERALS = _words(
    """
    one two three four five six seven eight nine ten eleven twelve dozen half double twin single triple pair
    ein eine zwei drei vier fünf sechs acht zehn deux trois quatre cinq dos tres cuatro cinco due tre quattro
    一 二 三 四 五 六 七 八 九 十 百 千 万 萬 两 兩 半
    """
)
# only right after a number
AFTER_NUMBER = _words(
    """
    in inch inches zoll pouces pulgadas ft foot feet yd yard yards mm cm dm m km meter meters metre metres mil
    mg g gr gram grams kg kilo kilos lb lbs pound pounds oz ounce ounces fl stone
    ml cl dl l liter liters litre litres gallon gallons gal qt quart quarts pt pint pints cup cups cc
    v volt volts w watt watts kw a amp amps ah mah wh kwh hz khz mhz ghz kb mb gb tb bit dpi mp fps lm lumen lumens k p
    pack packs pk pc pcs piece pieces count ct set sets pair pairs roll rolls sheet sheets box boxes case
    ply tier tiers layer layers way port ports person persons player players quart stück teilig pièces piezas
    year years yr yrs month months mo mos t day days hour hours hr hrs h min mins minute minutes sec s week weeks
    x by percent degree degrees psi rpm bar btu db karat carat
    寸 英 吋 尺 米 克 斤 升 毫 厘 公 千 瓦 伏 安 赫 双 雙 件 个 個 只 隻 条 條 盒 包 套 片 支 瓶 张 張 岁 歲 年 月 天
    本 枚 個 着 足 歳 개 세 장 켤 병
    """
)
# these turn round what follows
NEGATIONS = _words(
    """
    not no non never none without w/o except excluding minus nor neither cannot can't don't won't isn't doesn't
    ohne nicht kein keine keinen keiner nie sans pas sin nunca jamás senza sem não nem zonder geen niet
    uden ikke utan inte uten ingen bez nie без не нет
    无 無 不 非 没 沒 免 未 勿 别 別 除 なし ない なく 抜き 없는 없이 안 ไม่ ไร้
    """
)
# and these what stands before ("sugar free")
NEGATES_BEFORE = frozenset(["free", "frei", "less"])
# words that negate inside, with a hyphen: one unit, of which a part says the opposite
NEGATING = r"(?i)[^\pL]*(non-\pL.*|\pL.*-(free|frei|less)[^\pL]*)"
