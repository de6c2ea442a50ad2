"""Words that exclude each other: a pair with one word of each of two lines of a family is no pair of synonyms.

A family is a block, a line in it one meaning with all its words. Chinese ones are looked for inside phrases.
"""

from __future__ import annotations

_FAMILIES = """
left | left-handed | 左
right | right-handed | 右

men mens men's man man's male gents gentlemen guys him his | 男 先生
women womens women's woman woman's female ladies lady her hers | 女 淑女
boy boys boy's boys' | 男孩 男童
girl girls girl's girls' | 女孩 女童
unisex | 男女 情侣

husband dad father daddy fathers boyfriend son brother grandpa grandfather uncle groom king | 爸 父 爷 丈夫 老公 男友
wife mom mother mum mommy mothers girlfriend daughter sister grandma aunt bride queen | 妈 母 奶奶 妻 老婆 女友

adult adults grown-up men women | 成人 成年 大人
teen teens teenager teenagers youth junior | 青少年
kid kids child children childrens children's | 儿童 小孩 孩子
toddler toddlers | 幼儿
baby babies infant infants newborn newborns | 婴 宝宝 新生儿

dog dogs puppy puppies pup canine | 狗 犬
cat cats kitten kittens feline | 猫
bird birds parrot | 鸟
fish aquarium | 鱼
horse horses | 马
rabbit hamster | 兔 仓鼠

black onyx ebony | 黑
white ivory snow | 白
grey gray charcoal slate | 灰
red scarlet crimson burgundy maroon | 红
pink rose fuchsia | 粉
orange coral | 橙 橘
yellow mustard lemon | 黄
green olive emerald mint khaki | 绿
blue navy azure cobalt teal turquoise cyan | 蓝 藏青 青色
purple violet lavender lilac | 紫
brown tan chocolate | 棕 咖色 褐
beige cream nude | 米色 杏色
gold golden | 金色
silver | 银
multicolor multicolored colorful colored color colors colour colours | 彩色

dark deep | 深 暗
light bright pale | 浅 亮

small mini tiny little x-small petite narrow slim thin compact | 小 迷你 窄 细 薄
medium mid mid-size regular | 中号
large big huge jumbo x-large xx-large oversized wide thick bulky king queen | 大 宽 粗 厚

twin single one 1 | 单
double two dual pair 2 | 双
triple three 3 | 三
quad four 4 | 四

long longer tall | 长
short shorter shorts cropped | 短
high higher upper top up above over | 高 上
low lower bottom down below under ankle | 低 下 矮

hot warm heated warmer heating thermal | 热 暖 温
cold cool cooling cooler ice chilled | 冷 凉 冰
dry dried | 干
wet moist | 湿

new newest | 新
old used vintage antique renewed refurbished | 旧 古董 复古

soft gentle | 软
hard firm stiff tough | 硬
heavy heavyweight | 重
light lightweight | 轻
fast quick rapid | 快
slow | 慢
loud | 响
quiet silent noiseless | 静音 无声

good great best excellent | 好
bad worst poor | 坏 差
cheap budget affordable inexpensive | 便宜 平价
expensive luxury premium | 贵 高档 奢华
strong extra-strength | 强 浓
weak mild | 弱 淡

inside indoor indoors interior inner in | 内
outside outdoor outdoors exterior outer out | 外
front | 前
back rear behind | 后
open | 开
closed close shut | 关 闭
on | 开启
off | 关闭
before pre | 之前
after post | 之后
horizontal | 横
vertical upright | 竖 立式
hollow | 空心
solid | 实心
first | 首
last final | 末

east eastern | 东
west western | 西
north northern | 北
south southern | 南

spring | 春
summer | 夏
autumn fall | 秋
winter | 冬
christmas xmas | 圣诞
halloween | 万圣
easter | 复活节
thanksgiving | 感恩节
valentine valentines valentine's | 情人节
birthday | 生日
wedding bridal | 婚
holiday holidays

day daily daytime | 日 昼
night nightly | 夜
week weekly | 周
month monthly months | 月
year yearly years annual | 年
hour hours hourly | 时
minute minutes
second seconds | 秒

inch inches | 英寸
foot feet | 英尺
meter meters metre metres | 米
cm centimeter centimeters | 厘米
mm millimeter millimeters | 毫米
ounce ounces oz | 盎司
pound pounds lb lbs | 磅
gram grams g | 克
kilogram kilograms kg kilo | 公斤 千克
liter liters litre litres | 升

cotton | 棉
wool woolen | 羊毛
silk | 丝
linen | 麻
leather | 皮
polyester nylon | 涤纶 尼龙
wood wooden | 木
metal | 金属
steel stainless | 钢
iron | 铁
aluminum aluminium | 铝
copper brass bronze | 铜
plastic | 塑料
glass | 玻璃
ceramic porcelain | 陶瓷 瓷
paper cardboard | 纸
rubber silicone | 橡胶 硅胶
bamboo | 竹
stone marble | 石

wired corded | 有线
wireless cordless bluetooth | 无线 蓝牙
android | 安卓
ios iphone ipad | 苹果
manual | 手动
automatic auto electric | 自动 电动

with | 有 带
without no non not free | 无 不 非 没 免 未
"""


def _family(block: str) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    lines = [line.partition("|") for line in block.strip().splitlines()]
    return tuple((frozenset(words.split()), frozenset(inside.replace("|", " ").split())) for words, _, inside in lines)


# each family: (words of a meaning, characters of a meaning) for each of its meanings
FAMILIES = tuple(_family(block) for block in _FAMILIES.strip().split("\n\n"))
