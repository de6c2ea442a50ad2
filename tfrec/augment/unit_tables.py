"""Words of measure that mean the same, and numbers that are the same.

Each row lists forms that may stand for each other behind a number. Words come only from texts of their own language; a
symbol such as "cm" becomes an English word in texts without East Asian characters and a Chinese one in the others.
"""

from __future__ import annotations

# symbols and short forms | English words | German | French | Spanish | Chinese
MEASURES = """
    in " | inch inches | zoll | pouces | pulgadas | 英寸 寸
    ft ' | foot feet | fuß | pieds | pies | 英尺
    mm | millimeter millimeters | | millimètres | milímetros | 毫米
    cm | centimeter centimeters centimetre | zentimeter | centimètres | centímetros | 厘米 公分
    m | meter meters metre metres | | mètres | metros | 米
    mg | milligram milligrams | milligramm | milligrammes | miligramos | 毫克
    g gr | gram grams | gramm | grammes | gramos | 克
    kg kgs | kilogram kilograms | kilogramm | kilogrammes | kilogramos | 公斤 千克
    oz | ounce ounces | | onces | onzas | 盎司
    lb lbs | pound pounds | | | libras | 磅
    ml | milliliter milliliters millilitre | milliliter | millilitres | mililitros | 毫升
    l | liter liters litre litres | liter | litres | litros | 升
    gal | gallon gallons | gallonen | gallons | galones | 加仑
    qt | quart quarts | | | |
    w | watt watts | watt | watts | vatios | 瓦
    v | volt volts | volt | volts | voltios | 伏
    gb | gigabyte gigabytes | | | |
    tb | terabyte terabytes | | | |
    hz | hertz | hertz | hertz | hercios | 赫兹
    % | percent | prozent | | |
    pk | pack packs | | | | 包
    pc pcs | piece pieces | stück | pièces | piezas | 件
    hr hrs | hour hours | stunden | heures | horas | 小时
    yr yrs | year years | jahre | ans | años | 岁
    mo mos | month months | monate | mois | meses | 个月
"""
SYMBOLS = ('"', "'", "%")  # always written right behind the number
# apart from their number these are other words, or sizes of clothes and widths of shoes
ONLY_GLUED = frozenset(["m", "w", "l", "v", "g", "'", "mo"])
ONLY_AT_THE_END = frozenset(["in"])  # "12 in", "12 in x 9 in", but not "3 in 1" or "size 8 in blue"
# glued to these numbers they may be something else: networks (5g), bands (2.4g), a brand (3m), widths of shoes, widths
# and lengths of trousers
NOT_A_MEASURE = {
    "g": ["2", "3", "4", "5", "6", "2.4", "5.8"],
    "m": [str(size) for size in range(3, 17)],
    "w": [str(size) for size in (*range(4, 17), *range(24, 49))],
    "l": [str(size) for size in range(24, 49)],
}
# what is counted, so that "2" before it may be written "two"
COUNTED = frozenset(["pk", "pack", "packs", "pc", "pcs", "piece", "pieces"])
EASTERN = 5  # the column whose words stand in texts with East Asian characters
NUMBERS = (
    ("2", "two"), ("3", "three"), ("4", "four"), ("5", "five"), ("6", "six"), ("7", "seven"), ("8", "eight"),
    ("9", "nine"), ("10", "ten"), ("12", "twelve"), ("1/2", "0.5", "½"), ("1/4", "0.25", "¼"), ("3/4", "0.75", "¾"),
    ("1.5", "1½"), ("2.5", "2½"), ("1/3", "⅓"), ("2/3", "⅔"),
)  # fmt: skip


def measure_columns() -> list[list[list[str]]]:
    """The table: rows of columns of forms."""
    rows = [line for line in MEASURES.strip().splitlines()]
    return [[column.split() for column in row.split("|")] for row in rows]


def alternatives() -> dict[str, tuple[list[str], list[str]]]:
    """Each form of measure with what may stand for it, itself first: in Western texts, in East Asian ones."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for short, *languages in measure_columns():
        eastern = languages[EASTERN - 1]
        for column in languages:
            for word in column:
                others = [*short, *column]
                if word not in found:  # "liter" is English and German: the forms of both will do
                    found[word] = ([word], [word])
                for known, more in zip(found[word], (others, [*short, *eastern]), strict=True):
                    known += [form for form in more if form not in known]
        for symbol in short:
            western = [symbol, *[s for s in short if s != symbol], *languages[0]]
            found[symbol] = (western, [symbol, *[s for s in short if s != symbol], *eastern])
    return found
